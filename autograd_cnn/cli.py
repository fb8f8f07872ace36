"""The command line: autograd-cnn train, graph, summary, warmup, doctor, cache."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from autograd_cnn import autograd, models, optim, random
from autograd_cnn.creation import zeros
from autograd_cnn.data.download import search_folders
from autograd_cnn.errors import AutogradCnnError, MissingDependencyError
from autograd_cnn.kernels.cpu import jit
from autograd_cnn.kernels.cpu.threading_layer import threading_layer_info
from autograd_cnn.train.curves import save_curves
from autograd_cnn.train.job import OPTIMIZERS, SCHEDULERS, SOURCES, Job, settings_for
from autograd_cnn.train.progress import ProgressBar
from autograd_cnn.train.trainer import Interrupted
from autograd_cnn.version import __version__

app = typer.Typer(
    name="autograd-cnn",
    help="Train networks by kernels that Numba compiles, and see how gradients flow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def _choice(name: str, values: Sequence[str]) -> Any:
    """An enumeration, so that the command line lists what there is and refuses the rest."""
    return Enum(name, {value: value for value in values}, type=str)


ModelName = _choice("ModelName", list(models.MODELS))
DataName = _choice("DataName", list(SOURCES))
OptimizerName = _choice("OptimizerName", list(OPTIMIZERS))
SchedulerName = _choice("SchedulerName", SCHEDULERS)


@app.command()
def train(
    model: Annotated[ModelName, typer.Argument(help="The network.", show_default=False)],
    data: Annotated[DataName, typer.Option(help="The data set.")] = DataName.digits,
    folder: Annotated[Path, typer.Option("--out", help="Where checkpoints, metrics and pictures go.")] = Path("runs/latest"),
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the data; by default the data set's.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Images a step; by default the data set's.")] = None,
    optimizer: Annotated[OptimizerName, typer.Option(help="The optimizer.")] = OptimizerName.adam,
    lr: Annotated[float, typer.Option(min=0, help="The learning rate.")] = 1e-3,
    momentum: Annotated[float, typer.Option(min=0, help="For sgd.")] = 0.9,
    weight_decay: Annotated[float, typer.Option(min=0)] = 0.0,
    scheduler: Annotated[SchedulerName, typer.Option(help="How the learning rate changes.")] = SchedulerName.none,
    patience: Annotated[int | None, typer.Option(min=1, help="Stop after so many epochs without progress.")] = None,
    seed: Annotated[int, typer.Option(help="For weights and shuffling.")] = 0,
    checkpoint_every: Annotated[int | None, typer.Option(min=1, help="Also save every so many steps.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out, bit for bit.")] = False,
) -> None:
    """Train MODEL and leave checkpoints, metrics.csv, curves.png and backward.svg in a folder.

    Example: autograd-cnn train lenet5 --data digits --out runs/lenet5
    """
    settings = settings_for(
        model.value,
        data.value,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer.value,
        lr=lr,
        momentum=momentum,
        weight_decay=weight_decay,
        scheduler=scheduler.value,
        patience=patience,
        seed=seed,
        checkpoint_every=checkpoint_every,
    )
    progress = ProgressBar(out)
    job = Job(settings, folder, resume=resume, callbacks=(progress,))
    out.print(
        f"[bold]{settings.model}[/] on {settings.data}: {len(job.train_set):,} images, {len(job.held_out):,} held out, "
        f"{sum(p.numel() for p in job.model.parameters()):,} parameters"
    )
    if job.resumed_from is not None:
        out.print(f"continuing at step {job.resumed_from}, epoch {job.trainer.epoch + 1}")
    stop = _show_compiling(progress) if progress.live else lambda: None
    try:
        history = job.run()
    except Interrupted as interrupted:
        again = f"autograd-cnn train {settings.model} --data {settings.data} --out {folder} --resume"
        out.print(f"stopped at step {job.trainer.step}; saved. Continue with the same options and --resume:\n  {again}")
        raise typer.Exit(128 + interrupted.signal) from None
    finally:
        stop()
    pictures = _pictures(job, folder)
    if history:
        best = max(row["val_accuracy"] for row in history)
        out.print(
            f"held-out accuracy [bold]{history[-1]['val_accuracy']:.2%}[/] after {len(history)} epochs (best {best:.2%})"
        )
    out.print(f"in {folder}: model.safetensors, checkpoints/, metrics.csv, {', '.join(pictures)}")


def _show_compiling(progress: ProgressBar) -> Callable[[], None]:
    """Says beside the progress bar what is being compiled; the first run of a kernel takes a moment."""
    told = False

    def tell(event: Any) -> None:
        nonlocal told
        if not told and event.total_seconds > 1:
            told = True
            out.print(f"[dim]{jit.compile_notice()}")
        progress.note(f"compiling {event.kernel}" if event.seconds is None else "")

    return jit.on_compile(tell)


def _pictures(job: Job, folder: Path) -> list[str]:
    """Draws the learning curves and the backward graph; says what is missing where one cannot be drawn."""
    made = []
    try:
        save_curves(job.trainer.history, folder / "curves.png", f"{job.settings.model} on {job.settings.data}")
        made.append("curves.png")
    except MissingDependencyError as error:
        err.print(f"[yellow]no curves.png:[/] {error}")
    _draw(job.model, job.sample_loss(), folder / "backward.svg", f"{job.settings.model}: backward graph of the loss")
    return [*made, "backward.svg"]


def _draw(model: Any, loss: Any, path: Path, title: str) -> None:
    viz = importlib.import_module("viz")
    model.zero_grad()
    with viz.record(model) as recorder:
        loss.backward()
    viz.backward_graph(recorder, model=model, title=title).save(path)


@app.command()
def graph(
    model: Annotated[ModelName, typer.Argument(help="The network.", show_default=False)],
    path: Annotated[Path, typer.Option("-o", "--output", help="The picture; .svg, .dot, .png or .pdf.")] = Path("backward.svg"),
    data: Annotated[DataName, typer.Option(help="The data set whose shapes it is built for.")] = DataName.digits,
    batch_size: Annotated[int, typer.Option(min=1)] = 8,
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    """Draw the backward graph of MODEL's loss, untrained, with the gradients of one batch of noise.

    Example: autograd-cnn graph lenet5 -o lenet5.svg
    """
    random.manual_seed(seed)
    net, x, target = _example(model.value, data.value, batch_size)
    _draw(net, net.criterion()(net(x), target), path, f"{model.value}: backward graph of the loss")
    out.print(f"wrote {path}")


@app.command()
def summary(
    model: Annotated[ModelName, typer.Argument(help="The network.", show_default=False)],
    data: Annotated[DataName, typer.Option(help="The data set whose shapes it is built for.")] = DataName.digits,
    batch_size: Annotated[int, typer.Option(min=1)] = 1,
) -> None:
    """Print MODEL's layers with output shapes, parameters and FLOPs.

    Example: autograd-cnn summary lenet5
    """
    net, x, _ = _example(model.value, data.value, batch_size)
    out.print(net.summary(x))


def _example(model: str, data_name: str, batch_size: int) -> tuple[Any, Any, Any]:
    """A model with a batch of noise and targets of the shapes of a data set."""
    source = SOURCES[data_name]
    model_class = models.MODELS[model]
    size = model_class.image_size
    shape = source.shape if size is None or len(source.shape) < 3 else (source.shape[0], size, size)
    generator = random.default_generator.numpy
    x = zeros(batch_size, *shape)
    x.array[...] = generator.random(x.shape)
    target = zeros(batch_size, dtype="int64")
    target.array[...] = generator.integers(0, source.classes, batch_size)
    return model_class.for_data(shape, source.classes), x, target


@app.command()
def warmup(
    model: Annotated[ModelName | None, typer.Argument(help="Only this network's kernels.", show_default="all")] = None,
    processes: Annotated[int, typer.Option("-j", "--processes", min=1, help="Compile in so many processes.")] = 1,
) -> None:
    """Compile kernels ahead, so that the first run starts at once.

    Example: autograd-cnn warmup lenet5 -j 2
    """
    names = [model.value] if model is not None else list(models.MODELS)
    tasks = [f"{name}:{batch}" for name in names for batch in (1, 64)]
    before = jit.cache_info()
    if before.folder is None:
        err.print(f"[yellow]nothing to warm:[/] there is no folder to keep kernels in ({before.why})")
        raise typer.Exit(1)
    shares = [tasks[i::processes] for i in range(min(processes, len(tasks)))]
    with out.status("compiling kernels ..."):
        if len(shares) == 1:
            warm(shares[0])
        else:
            code = "import sys; from autograd_cnn.cli import warm; warm(sys.argv[1:])"
            children = [subprocess.Popen([sys.executable, "-c", code, *share]) for share in shares]
            if any([child.wait() for child in children]):
                err.print("[red]a process failed[/]; the kernels of the others are kept")
                raise typer.Exit(1)
    after = jit.cache_info()
    out.print(f"{after.entries} kernels ready ({after.entries - before.entries} new) in {after.folder}")


def warm(tasks: Sequence[str]) -> None:
    """Runs training and evaluation steps of `model:batch_size` tasks, which compiles every kernel that they use."""
    for task in tasks:
        name, batch = task.split(":")
        for data_name in ("digits",) if name != "mlp" else ("digits", "xor"):
            net, x, target = _example(name, data_name, int(batch))
            for optimizer in (optim.Adam(net.parameters()), optim.SGD(net.parameters(), momentum=0.9)):
                loss = net.criterion()(net(x), target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            with autograd.no_grad():
                int((net.eval()(x).argmax(1) == target).sum())


@app.command()
def doctor() -> None:
    """Report what this machine offers: Numba, vector width, threads, cache, Graphviz, data.

    Example: autograd-cnn doctor
    """
    table = Table(show_header=False, box=None)
    for name, value in _findings():
        table.add_row(f"[bold]{name}", value)
    out.print(table)


def _findings() -> list[tuple[str, str]]:
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    width = next((w for f, w in (("avx512f", 512), ("avx2", 256), ("neon", 128), ("sse2", 128)) if features.get(f)), 128)
    layer = threading_layer_info()
    cache = jit.cache_info()
    kept = f"{cache.folder} ({cache.why}; {cache.entries} kernels, {cache.bytes / 1e6:.1f} MB, mode {cache.mode})"
    return [
        ("autograd_cnn", __version__),
        ("Python", f"{platform.python_version()} on {platform.platform()}"),
        ("Numba", f"{_version('numba')}, llvmlite {_version('llvmlite')}, NumPy {_version('numpy')}"),
        ("processor", f"{llvm.get_host_cpu_name()}, {os.cpu_count()} cores, vectors of {width} bits"),
        ("threads", f"{layer.threads}, layer {layer.layer}"),
        ("kernels kept in", kept if cache.folder is not None else f"nowhere ({cache.why}): every process compiles anew"),
        ("CUDA", "not used: kernels run on the CPU"),
        ("Graphviz", _graphviz()),
        ("matplotlib", _version("matplotlib") or 'missing: no learning curves (pip install "autograd_cnn[examples]")'),
        ("scikit-learn", _version("scikit-learn") or 'missing: no digits (pip install "autograd_cnn[examples]")'),
        ("data", ", ".join(str(folder) for folder in search_folders("", None)) + _data_hint()),
    ]


def _data_hint() -> str:
    return "" if os.environ.get("AUTOGRAD_CNN_DATA") else " (AUTOGRAD_CNN_DATA names a folder to look in first)"


def _graphviz() -> str:
    version = _version("pygraphviz")
    if version:
        return f"pygraphviz {version}: graphs are laid out by Graphviz; SVG, PNG and PDF"
    return 'not installed: graphs are laid out by viz itself, SVG only (pip install "autograd_cnn[examples]")'


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


cache_app = typer.Typer(help="The folder of compiled kernels.", no_args_is_help=True)
app.add_typer(cache_app, name="cache")


@cache_app.command()
def clear() -> None:
    """Delete all compiled kernels; they are compiled again when needed.

    Example: autograd-cnn cache clear
    """
    out.print(f"deleted {jit.clear_cache()} kernels")


@app.callback(invoke_without_command=True)
def version(show: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if show:
        out.print(__version__)
        raise typer.Exit


def main() -> None:
    """Entry point: errors of ours are one line on stderr and exit status 1."""
    try:
        app()
    except (AutogradCnnError, OSError) as error:
        err.print("[bold red]error:[/]", end=" ")
        err.print(str(error), markup=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
