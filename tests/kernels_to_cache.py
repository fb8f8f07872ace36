"""Small kernels in two modules on disk, and processes, pretended and real, that compile and cache them."""

import importlib.util
import os
import subprocess
import sys
import textwrap
import warnings

import numpy as np

from autograd_cnn.kernels.cpu import cache, jit

KERNELS = """
from numba import prange
from autograd_cnn.kernels.cpu.jit import adaptive, inline, serial
from helper_of_the_kernels import SCALE, shifted

@inline
def scaled(value):
    return SCALE * value

@serial
def scale(x, out):
    for i in range(out.size):
        out[i] = scaled(x[i])

@serial
def shift(x, out):
    for i in range(out.size):
        out[i] = shifted(x[i])

@adaptive
def square(x, out):
    for i in prange(out.size):
        out[i] = x[i] * x[i]

@adaptive
def one_too_far(x, out):
    for i in prange(out.size):
        out[i] = x[i + 1]
"""
HELPER = """
from autograd_cnn.kernels.cpu.jit import inline

SCALE = 3

@inline
def shifted(value):
    return value + 1
"""
DTYPES = ("int16", "int32", "int64", "float32", "float64")


def write_kernels(folder, kernels=KERNELS, helper=HELPER, changed=1):
    """Both modules on disk, last changed before this process began: later ones are not cached."""
    for name, source in (("some_kernels", kernels), ("helper_of_the_kernels", helper)):
        path = folder / f"{name}.py"
        path.write_text(source)
        os.utime(path, (changed, changed))


def prepare(monkeypatch, folder):
    """A cache of its own in place of that of the test run, with the modules of kernels beside it."""
    monkeypatch.setenv("AUTOGRAD_CNN_CACHE", str(folder / "compiled"))
    monkeypatch.syspath_prepend(str(folder))
    write_kernels(folder)
    return fresh_store(monkeypatch)


def fresh_store(monkeypatch):
    """What a new process would have: nothing chosen, nothing counted, no warning given."""
    store = cache.CompileCache()
    monkeypatch.setattr(jit, "_CACHE", store)
    monkeypatch.setattr(jit._LOG, "_cache", store)
    return store


def fresh_kernels(monkeypatch, folder):
    """The modules of kernels as a new process would import them."""
    for name in ("helper_of_the_kernels", "some_kernels"):
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    return module


def scaled_by_three(kernels, dtype="float32"):
    x = np.arange(5).astype(dtype)
    out = np.empty_like(x)
    kernels.scale(x, out)
    return np.array_equal(out, 3 * x)


def caught_warnings(action):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = action()
    assert all(warning.category is cache.CompileCacheWarning for warning in caught)
    return result, [str(warning.message) for warning in caught]


def python_path(folder):
    return os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])


def run_python(source, folder, **environment):
    environment = {
        "PYTHONPATH": python_path(folder),
        "AUTOGRAD_CNN_CACHE": str(folder / "compiled"),
    } | environment
    environment = {name: value for name, value in (os.environ | environment).items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
