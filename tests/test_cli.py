"""The command line: what it leaves behind, what it says of bad input, how it is stopped."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from autograd_cnn import cli, data, models
from autograd_cnn.device import CPU
from autograd_cnn.kernels.cpu import jit
from autograd_cnn.random import get_rng_state
from autograd_cnn.serialize import load
from autograd_cnn.train import warmup
from autograd_cnn.train.checkpoint import CheckpointStore
from autograd_cnn.train.job import Job, settings_for
from autograd_cnn.train.sources import SOURCES
from autograd_cnn.version import __version__

XOR = ["train", "mlp", "--data", "xor", "--epochs", "2"]
FILES = {"backward.svg", "checkpoints", "curves.png", "metrics.csv", "model.safetensors"}


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process."""
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # `main` sets it
    monkeypatch.setenv("COLUMNS", "200")

    def run(*args: str | Path) -> Result:
        monkeypatch.setattr(sys, "argv", ["autograd-cnn", *map(str, args)])
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as stop:
            code = stop.code or 0  # type: ignore[assignment]
        return Result(code, *capsys.readouterr())

    return run


def test_train_leaves_its_files(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    folder = tmp_path / "runs" / "a [b]"
    result = run(*XOR, "--out", folder)
    assert result.code == 0, result.err
    assert {path.name for path in folder.iterdir()} == FILES
    assert str(folder) in result.out
    assert "2 epochs, batches of 4, adam, lr 0.01, weight decay 0, constant rate, no augmentation, seed 0" in result.out
    assert len(re.findall(r"^epoch \d/2  loss", result.out, re.MULTILINE)) == 2
    assert len((folder / "metrics.csv").read_text().splitlines()) == 3
    assert (folder / "backward.svg").read_text().startswith("<svg")
    assert CheckpointStore(folder / "checkpoints").latest() == 2
    assert len(list((folder / "checkpoints").iterdir())) >= 2
    weights = load(folder / "model.safetensors")
    models.MLP(2, 2).load_state_dict(weights)


def test_a_json_summary_is_all_of_stdout(run: Run, tmp_path: Path) -> None:
    result = run(*XOR, "--out", tmp_path / "run", "--json")
    summary = json.loads(result.out)
    assert summary["epochs"] == 2
    assert summary["val_accuracy"] <= summary["best"] <= 1
    assert "epoch 2/2" in result.err


def test_resume_needs_no_other_option(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run(*XOR, "--out", folder, "--lr", "0.003", "--seed", "4").code == 0
    result = run("train", "mlp", "--out", folder, "--resume")
    assert result.code == 0
    assert "lr 0.003" in result.out
    assert "seed 4" in result.out
    assert "the run is finished" in result.out
    more = run("train", "mlp", "--out", folder, "--resume", "--epochs", "3")
    assert more.code == 0
    assert "epoch 3/3" in more.out
    assert "epoch 2/3" not in more.out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["train", "mlp", "--out", "RUN"], "RUN holds a run already; continue it with --resume"),
        (["train", "mlp", "--out", "RUN", "--resume", "--lr", "1"], "RUN: .* lr was 0.01, is 1.0"),
        (["train", "mlp", "--out", "RUN", "--resume", "--data", "digits"], "data was 'xor', is 'digits'"),
        (["train", "lenet5", "--out", "RUN", "--resume"], "model was 'mlp', is 'lenet5'"),
        (["train", "mlp", "--out", "NEW", "--resume"], "NEW: no run to resume here; start one without --resume"),
        (["train", "lenet5", "--data", "xor", "--out", "NEW"], r"LeNet5: needs images of .*, got \(2,\)"),
        (["train", "mlp", "--data", "xor", "--augment", "--out", "NEW"], "there is no augmentation for xor"),
        (["train", "mlp", "--data", "xor", "--out", "FILE/run"], "cannot write to .*FILE/run: Not a directory"),
        (["graph", "lenet5", "--data", "xor"], "LeNet5: needs images"),
        (["graph", "mlp", "-o", "NEW/a.svg"], "cannot write .*a.svg.*No such file"),
        (["graph", "mlp", "-o", "FILE.xyz"], "svg.*got .*xyz"),
    ],
)
def test_bad_input_is_one_line(run: Run, tmp_path: Path, args: list[str], message: str) -> None:
    places = {name: tmp_path / name for name in ("RUN", "NEW", "FILE")}
    places["FILE"].touch()
    assert run(*XOR, "--out", places["RUN"]).code == 0
    before = sorted(tmp_path.rglob("*"))
    result = run(*(re.sub("RUN|NEW|FILE", lambda m: str(places[m[0]]), arg) for arg in args))
    assert result.code == 1
    assert re.fullmatch(f"error: .*{message}.*\n", result.err), result.err
    assert result.out == ""
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("args", "mentioned"),
    [
        (["train", "alexnet"], list(models.MODELS)),
        (["train", "mlp", "--data", "imagenet"], list(SOURCES)),
        (["train", "mlp", "--optimizer", "lbfgs"], ["sgd", "adam", "adamw", "rmsprop"]),
        (["train", "mlp", "--scheduler", "warm"], ["none", "step", "exponential", "cosine"]),
        (["train", "mlp", "--epochs", "0"], ["--epochs", "1"]),
        (["train", "mlp", "--epochs", "many"], ["--epochs", "integer"]),
        (["train", "mlp", "--lr", "-1"], ["--lr", "0"]),
        (["train", "mlp", "--learning-rate", "1"], ["--learning-rate"]),
        (["warmup", "-j", "0"], ["-j"]),
        (["trian"], ["trian"]),
    ],
)
def test_unknown_names_and_options(run: Run, args: list[str], mentioned: list[str]) -> None:
    result = run(*args)
    assert result.code == 2
    assert all(word in result.err for word in mentioned), result.err
    assert "Traceback" not in result.err


def test_a_loss_that_is_none(run: Run, tmp_path: Path) -> None:
    result = run(*XOR, "--lr", "1e20", "--out", tmp_path / "run")
    assert result.code == 1
    assert re.fullmatch(r"error: the loss .* is (nan|inf) .*step 1 .*No checkpoint had been saved yet\n", result.err)
    late = run(*XOR, "--optimizer", "sgd", "--lr", "1e8", "--out", tmp_path / "late")
    assert late.code == 1
    step = CheckpointStore(tmp_path / "late" / "checkpoints").latest()
    assert step is not None
    assert late.err.endswith(f"The checkpoint of step {step} is kept\n")


@pytest.mark.parametrize("missing", ["sklearn.datasets", "matplotlib.figure"])
def test_missing_extras_are_named(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    if missing.startswith("sklearn"):
        result = run("train", "mlp", "--out", tmp_path / "run")
        assert result.code == 1
        assert not (tmp_path / "run").exists()
    else:  # no reason to lose a trained network
        result = run(*XOR, "--out", tmp_path / "run")
        assert result.code == 0
        assert {path.name for path in (tmp_path / "run").iterdir()} == FILES - {"curves.png"}
    assert 'pip install "autograd_cnn[examples]"' in result.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not gzip", "not an IDX file"),
        (gzip.compress(b"\0\0\x08\x03" + bytes(12), mtime=0)[:-6], "torn or damaged"),
        (gzip.compress(b"\0\0\x08\x01\0\0\0\x02ab", mtime=0), "not .*60000"),
        (gzip.compress(b"P5 28 28 255", mtime=0), "not an IDX file"),
    ],
)
def test_damaged_data(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str) -> None:
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").write_bytes(content)
    monkeypatch.setenv("AUTOGRAD_CNN_DATA", str(tmp_path))
    result = run("train", "mlp", "--data", "mnist", "--out", tmp_path / "run")
    assert result.code == 1
    assert re.fullmatch(f"error: .*train-images-idx3-ubyte.gz: .*({message}).*\n", result.err), result.err
    assert not (tmp_path / "run").exists()


def test_no_data_and_no_network(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **more: Any) -> Any:
        raise OSError("Network is unreachable")

    monkeypatch.setenv("AUTOGRAD_CNN_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("urllib.request.OpenerDirector.open", refuse)
    result = run("train", "mlp", "--data", "mnist", "--out", tmp_path / "run")
    assert result.code == 1
    assert re.fullmatch("error: could not download train-images.*Network is unreachable.*\n", result.err), result.err


HEEDING_SIGINT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from autograd_cnn.cli import main
main()
"""


def started(*args: str | Path) -> subprocess.Popen[str]:
    """The command line in a process of its own, that heeds SIGINT also where these tests run in the background."""
    command = [sys.executable, "-c", HEEDING_SIGINT, *map(str, args)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.timeout(180)
@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_to_go_on(run: Run, tmp_path: Path, number: signal.Signals) -> None:
    pytest.importorskip("sklearn")
    folder = tmp_path / "run"
    options = ["--batch-size", "64", "--epochs", "12", "--checkpoint-every", "1"]
    process = started("train", "perceptron", "--out", folder, *options)
    while process.poll() is None and not list(folder.glob("checkpoints/step-*")):
        time.sleep(0.005)
    process.send_signal(number)
    _, err = process.communicate(timeout=50)
    assert process.returncode == 128 + number, err
    assert "Traceback" not in err
    [command] = re.findall(r"saved; continue with: autograd-cnn (train perceptron --out .* --resume)\n", err)
    result = run(*command.split())
    assert result.code == 0, result.err
    assert "continuing after step" in result.out
    whole = Job.new(settings_for("perceptron", "digits", batch_size=64, epochs=12), tmp_path / "whole")
    whole.run()
    expected, found = (load(path / "model.safetensors") for path in (tmp_path / "whole", folder))
    for name, tensor in expected.items():
        assert tensor.numpy().tobytes() == found[name].numpy().tobytes()


def test_a_second_ctrl_c_is_no_traceback(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Job) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(Job, "run", interrupted)
    result = run(*XOR, "--out", tmp_path / "run")
    assert result.code == 130
    assert "Traceback" not in result.err


def test_warnings_are_one_line(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert run(*XOR, "--out", folder).code == 0
    (folder / "checkpoints" / "step-00000002" / "state.json").write_text("{}")
    process = started("train", "mlp", "--out", folder, "--resume")
    out, err = process.communicate(timeout=50)
    assert process.returncode == 0, err
    assert "continuing after step 1" in out
    assert all(line.startswith("warning: checkpoint passed over: ") for line in err.splitlines()), err
    assert err


@pytest.mark.parametrize("model", models.MODELS)
def test_graph_and_summary(run: Run, tmp_path: Path, model: str) -> None:
    picture = tmp_path / "graph.svg"
    assert run("graph", model, "-o", picture, "--batch-size", "2").code == 0
    assert picture.read_text().startswith("<svg")
    result = run("summary", model)
    assert result.code == 0
    net, _ = cli.build_model(model, "digits")
    assert f"{sum(p.numel() for p in net.parameters()):,}" in result.out


def test_doctor(run: Run) -> None:
    result = run("doctor")
    assert result.code == 0
    for word in ("Numba", "bits", "layer", "kernels kept in", "CUDA", "Graphviz", "matplotlib", "data"):
        assert word in result.out
    found = json.loads(run("doctor", "--json").out)
    assert found["autograd_cnn"] == __version__
    assert found["processor"]["vector_bits"] in (128, 256, 512)
    assert found["cache"]["kernels"] == jit.cache_info().entries


def test_version_and_help(run: Run) -> None:
    assert run("--version").out == f"{__version__}\n"
    for command in ("train", "graph", "summary", "warmup", "doctor"):
        result = run(command, "--help")
        assert result.code == 0
        assert f"Example: autograd-cnn {command}" in result.out
    entry = Path(cli.__file__).parents[1].joinpath("setup.cfg").read_text()
    assert "autograd-cnn = autograd_cnn.cli:main" in entry


@pytest.mark.skipif(os.name != "posix", reason="Windows spells paths otherwise")
def test_a_terminal_of_ascii_gets_escapes(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "autograd_cnn", "graph", "perceptron", "-o", str(tmp_path / "g\u00e9.svg")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done
    assert done.stdout.endswith("g\\xe9.svg\n")


def test_cache_clear(tmp_path: Path) -> None:
    environment = {**os.environ, "AUTOGRAD_CNN_CACHE": str(tmp_path)}
    code = "import autograd_cnn as ag; ag.tensor([1.0]) + 1"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=50)
    assert len(list(tmp_path.rglob("*.nbc"))) > 0
    command = [sys.executable, "-m", "autograd_cnn", "cache", "clear"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50)
    assert re.fullmatch(r"deleted [1-9]\d* kernels\n", done.stdout), done
    assert not list(tmp_path.rglob("*.nbc"))


class Watched:
    """The CPU's kernels; takes down the kinds of all calls."""

    def __init__(self, kernels: Any) -> None:
        self.kernels = kernels
        self.kinds: set[Any] = set()

    def __getattr__(self, name: str) -> Any:
        kernel = getattr(self.kernels, name)
        if not callable(kernel) or isinstance(kernel, type):
            return kernel

        def call(*args: Any) -> Any:
            self.kinds.add((name, tuple(map(kind, args))))
            return kernel(*args)

        return call


def kind(arg: Any) -> Any:
    """All of an argument that decides which code runs: not its values."""
    if not isinstance(arg, np.ndarray):
        return type(arg)
    flags = arg.flags
    return arg.shape, arg.dtype, flags.c_contiguous, flags.f_contiguous, flags.writeable


@pytest.mark.parametrize(("model", "data_name"), [("lenet5", "digits"), ("mlp", "xor")])
def test_the_rehearsal_of_warmup_makes_every_call_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, data_name: str
) -> None:
    noted = {
        (name, tuple(map(kind, args)))
        for name, calls in warmup._calls(((model, data_name),), False).items()
        for args in calls.values()
    }
    watched = Watched(CPU.kernels)
    monkeypatch.setattr(CPU, "kernels", watched)
    job = Job.new(settings_for(model, data_name, epochs=1), tmp_path)
    job.run()
    job.model.zero_grad()
    job.sample_loss().backward()
    assert len(watched.kinds) > 10
    assert watched.kinds <= noted


def test_warmup_knows_every_kernel() -> None:
    kernels = {name for name in vars(CPU.kernels) if callable(getattr(CPU.kernels, name)) and not name.startswith("_")}
    # The first three are no kernels; `pow` calls the fourth.
    known = set(warmup.kernels_of((), everything=True))
    assert kernels - known == {"ArrayTable", "blocks_for", "normal_blocks", "cube"}


def test_a_rehearsal_draws_nothing() -> None:
    before = str(get_rng_state())
    warmup.kernels_of([("mlp", "xor")], everything=True)
    assert str(get_rng_state()) == before


@pytest.mark.timeout(180)
def test_after_warmup_nothing_is_compiled(tmp_path: Path) -> None:
    warm = started("warmup", "perceptron", "-j", "2")
    out, err = warm.communicate(timeout=150)
    assert warm.returncode == 0, err
    assert re.search(r"\d+ kernels ready, \d+ new, in ", out)
    code = """
import sys
from autograd_cnn import cli
from autograd_cnn.kernels.cpu import jit
sys.argv = ["autograd-cnn", "train", "perceptron", "--data", "xor", "--out", sys.argv[1]]
cli.app(standalone_mode=False)
info = jit.cache_info()
print(info.misses, info.hits > 5)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=50)
    assert done.stdout.splitlines()[-1] == "0 True", done


def test_the_sizes_of_the_data_sets_are_as_stated() -> None:
    pytest.importorskip("sklearn")
    for name in ("digits", "xor"):
        source = SOURCES[name]
        parts = [source.load(train, None, False) for train in (True, False)]
        assert tuple(map(len, parts)) == source.lengths
        x, target = parts[0][0]
        assert tuple(x.shape) == source.shape
        assert 0 <= int(target) < source.classes
    assert data.MNIST.sums.keys() == data.FashionMNIST.sums.keys()


def test_the_xor_example() -> None:
    example = Path(__file__).parents[1] / "examples" / "xor.py"
    done = subprocess.run([sys.executable, example], capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    right = re.findall(r"(\d+)% right", done.stdout)
    assert len(right) == 2
    assert int(right[0]) <= 75, "a perceptron has at most three of the four right"
    assert int(right[1]) == 100
    assert "the best have 3 of the 4 points" in done.stdout
    assert "not linearly separable" in done.stdout


@pytest.mark.timeout(300)
def test_lenet_learns_the_digits_in_the_default_run(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    history = Job.new(settings_for("lenet5", "digits"), tmp_path).run()
    assert history[-1]["val_accuracy"] >= 0.98
