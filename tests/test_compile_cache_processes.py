"""What a user sees while kernels are compiled, and processes that share a cold cache."""

import os
import re
import subprocess
import sys
import textwrap

import numba
import numpy as np
import pytest
from kernels_to_cache import (
    DTYPES,
    fresh_kernels,
    fresh_store,
    prepare,
    python_path,
    run_python,
    scaled_by_three,
    write_kernels,
)

from autograd_cnn.kernels.cpu import compile_log, jit

pytestmark = pytest.mark.skipif(jit.CHECK_BOUNDS, reason="kernels are not cached while bounds are checked")


@pytest.fixture
def store(tmp_path, monkeypatch):
    return prepare(monkeypatch, tmp_path)


# Telling the user


def test_the_notice_is_printed_once_and_while_compiling(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(jit._LOG, "_noticed", False)
    monkeypatch.setattr(compile_log, "NOTICE_SECONDS", jit._LOG.total_seconds + 0.01)
    kernels = fresh_kernels(monkeypatch, tmp_path)
    assert scaled_by_three(kernels, "float32")
    printed = capsys.readouterr()
    folder = re.escape(str(store.folder))
    assert re.fullmatch(f"autograd_cnn: compiling kernels for this machine, once; kept in {folder}\n", printed.err)
    assert scaled_by_three(kernels, "float64")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_a_listener_hears_of_kernels_and_takes_the_notice_over(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(jit._LOG, "_noticed", False)
    monkeypatch.setattr(compile_log, "NOTICE_SECONDS", 0.0)
    heard = []
    stop = jit.on_compile(heard.append)
    kernels = fresh_kernels(monkeypatch, tmp_path)
    assert scaled_by_three(kernels)
    assert numba.njit(lambda: 1)() == 1
    stop()
    assert kernels.shift(np.zeros(3), np.empty(3)) is None
    started, ended = heard  # not of the function that the kernel calls, nor of what is not a kernel of ours
    assert started.kernel == ended.kernel == "some_kernels.scale"
    assert started.seconds is None
    assert 0 < ended.seconds <= ended.total_seconds
    assert capsys.readouterr().err.count("\n") == 1  # of `shift`, which nobody else told about


def test_import_compiles_nothing_and_touches_no_folder(tmp_path):
    source = """
        import importlib, pkgutil
        from numba.core import event
        with event.install_recorder("numba:compile") as recorder:
            import autograd_cnn.kernels.cpu as cpu
            for module in pkgutil.iter_modules(cpu.__path__):
                importlib.import_module(f"{cpu.__name__}.{module.name}")
        print(len(recorder.buffer))
    """
    result = run_python(source, tmp_path)
    assert (result.returncode, result.stdout) == (0, "0\n"), result.stderr
    assert not (tmp_path / "compiled").exists()


# Processes that share a folder

WITHOUT_COMPILING = """
    import random, sys, warnings
    warnings.simplefilter("error")
    from autograd_cnn.kernels.cpu.cache import CompileCache

    process, processes, rounds = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    random.seed(process)
    store = CompileCache()
    content = {f"{i}.nbc": bytes([i]) * (50_000 + i) for i in range(5)}
    for turn in range(rounds):
        for name in random.sample(list(content), 5):
            assert store.load(name) in (None, content[name])
            store.save(name, content[name])
            assert store.load(name) in (None, content[name])
        if process == turn % processes:
            store.clear()
"""
COMPILING = """
    import os, sys, time, warnings
    warnings.simplefilter("error")
    import numpy as np
    from autograd_cnn.kernels.cpu import jit
    from autograd_cnn.kernels.cpu.cache import CompileCache

    process, processes, rounds = (int(argument) for argument in sys.argv[1:])
    for turn in range(rounds):
        os.environ["AUTOGRAD_CNN_CACHE"] = f"round-{turn}"
        jit._CACHE = CompileCache()
        sys.modules.pop("some_kernels", None)
        sys.modules.pop("helper_of_the_kernels", None)
        import some_kernels
        open(f"ready-{turn}-{process}", "w").close()
        while not all(os.path.exists(f"ready-{turn}-{other}") for other in range(processes)):
            time.sleep(0.002)
        for dtype in ("int16", "int32", "int64", "float32", "float64"):
            x = np.arange(7).astype(dtype)
            out = np.empty_like(x)
            some_kernels.scale(x, out)
            assert np.array_equal(out, 3 * x), (turn, dtype, out)
"""


@pytest.mark.parametrize(("source", "rounds"), [(WITHOUT_COMPILING, 50), (COMPILING, 3)])
def test_eight_processes_on_a_cold_cache(source, rounds, store, tmp_path, monkeypatch):
    environment = os.environ | {"PYTHONPATH": python_path(tmp_path)}
    command = [sys.executable, "-c", textwrap.dedent(source)]
    processes = [
        subprocess.Popen([*command, str(i), "8", str(rounds)], env=environment, cwd=tmp_path, stderr=subprocess.PIPE)
        for i in range(8)
    ]
    errors = [process.communicate(timeout=120)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == 8 * [0], "".join(errors)
    assert list(tmp_path.rglob("*.tmp")) == []
    for folder in tmp_path.glob("round-*"):
        monkeypatch.setenv("AUTOGRAD_CNN_CACHE", str(folder))
        store = fresh_store(monkeypatch)
        kernels = fresh_kernels(monkeypatch, tmp_path)
        assert all(scaled_by_three(kernels, dtype) for dtype in DTYPES)
        assert (store.hits, store.misses, len(store.entries())) == (5, 0, 10)


# Bounds checks


def test_bounds_mode_catches_an_index_one_too_far(tmp_path):
    write_kernels(tmp_path)
    source = """
        import numpy as np
        import some_kernels
        from autograd_cnn.kernels.cpu import jit
        for size in (7, 2 * jit.GRAIN):
            x = np.arange(size, dtype="float32")
            some_kernels.square(x, np.empty_like(x))
            try:
                some_kernels.one_too_far(x, np.empty_like(x))
            except IndexError:
                print("caught")
        print(jit.cache_info().why)
    """
    result = run_python(source, tmp_path, AUTOGRAD_CNN_CHECK_BOUNDS="1")
    assert result.stdout.split("\n") == ["caught", "caught", "AUTOGRAD_CNN_CHECK_BOUNDS is set", ""], result.stderr
    assert not (tmp_path / "compiled").exists()
