"""Parallel kernels in Python threads and in forked processes, under each threading layer."""

import os
import subprocess
import sys
import textwrap

import pytest

from autograd_cnn.kernels.cpu import jit

pytestmark = [
    pytest.mark.skipif(jit.CHECK_BOUNDS, reason="no kernel is parallel while bounds are checked"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="both layers are there on Linux alone"),
]
KERNEL = """
from numba import prange
from autograd_cnn.kernels.cpu.jit import parallel

@parallel
def square(x, out):
    for i in prange(out.size):
        out[i] = x[i] * x[i]
"""
START = """
    import os, sys, threading
    import numba, numpy as np
    from numba.core.registry import CPUDispatcher
    from some_parallel_kernel import square
    from autograd_cnn.kernels.cpu.threading_layer import threading_layer_info

    x = np.arange(50_000.0)

    def check(calls=1, dtype="float64"):
        mine = x.astype(dtype)
        out = np.empty_like(mine)
        for _ in range(calls):
            square(mine, out)
        assert np.array_equal(out, mine * mine)
"""
THREADS = """
    threads = [threading.Thread(target=check, args=(1000,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(threading_layer_info().layer, type(square) is CPUDispatcher)
"""
FORK = """
    check()
    for _ in range(5):
        child = os.fork()
        if child == 0:
            check()
            check(dtype="float32")  # not compiled before the fork
            os._exit(threading_layer_info().serial_after_fork)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        check()
"""


def run(folder, layer, *parts):
    (folder / "some_parallel_kernel.py").write_text(KERNEL)
    os.utime(folder / "some_parallel_kernel.py", (1, 1))
    changes = {
        "PYTHONPATH": str(folder),
        "AUTOGRAD_CNN_CACHE": str(folder / "compiled"),
        "NUMBA_THREADING_LAYER": layer,
        "NUMBA_NUM_THREADS": "2",
    }
    source = "".join(textwrap.dedent(part) for part in parts)
    return subprocess.run(
        [sys.executable, "-c", source], env=os.environ | changes, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_threads_may_call_kernels_at_once(layer, tmp_path):
    result = run(tmp_path, layer, START, THREADS)
    assert (result.returncode, result.stderr) == (0, "")
    # Where the layer is safe, the lock is gone after the first call.
    assert result.stdout == f"{layer} {layer == 'omp'}\n"


@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_a_forked_child_runs_kernels(layer, tmp_path):
    result = run(tmp_path, layer, START, FORK)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.split() == 5 * [str(int(layer == "omp"))]


def test_without_the_guard_both_layers_end_the_process(tmp_path):
    unguarded = "\n    square.__class__ = CPUDispatcher\n"
    assert run(tmp_path, "workqueue", START, unguarded, THREADS).returncode < 0
    forget = "\n    from autograd_cnn.kernels.cpu import threading_layer\n    threading_layer._PARALLEL.clear()\n"
    assert run(tmp_path, "omp", START, forget, FORK).stdout.split()[0] == "-15"


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "10000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, "None")],
)
def test_waiting_threads_sleep_soon_unless_told(given, expected):
    environment = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")} | given
    code = "import os, autograd_cnn.kernels.cpu.jit; print(os.environ.get('GOMP_SPINCOUNT'))"
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == expected
