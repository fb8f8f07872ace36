"""What this machine offers: the findings behind `autograd-cnn doctor`."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import shutil
from pathlib import Path
from typing import Any

from autograd_cnn.data.download import search_folders
from autograd_cnn.kernels.cpu import jit
from autograd_cnn.kernels.cpu.processor import processor
from autograd_cnn.kernels.cpu.threading_layer import threading_layer_info
from autograd_cnn.version import __version__

_EXTRA = 'pip install "autograd_cnn[examples]"'


def findings() -> dict[str, Any]:
    """Versions, processor, threads, compile cache, CUDA, Graphviz and data, as plain numbers and strings.

    >>> findings()["processor"]["vector_bits"] >= 128
    True
    """
    return {
        "autograd_cnn": __version__,
        "python": f"{platform.python_version()} on {platform.platform()}",
        "versions": {name: _version(name) for name in ("numba", "llvmlite", "numpy")},
        "processor": _processor(),
        "threads": _threads(),
        "cache": _cache(),
        "cuda": cuda(),
        "graphviz": {"pygraphviz": _version("pygraphviz"), "dot": shutil.which("dot")},
        "extras": {name: _version(name) for name in ("matplotlib", "scikit-learn")},
        "data": _data(),
    }


def lines(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The findings as pairs of a name and a sentence, for people."""
    versions, processor, threads, cache = (found[name] for name in ("versions", "processor", "threads", "cache"))
    kept = f"{cache['folder']} ({cache['why']}; {cache['kernels']} kernels, {cache['bytes'] / 1e6:.1f} MB"
    return [
        ("autograd_cnn", found["autograd_cnn"]),
        ("Python", found["python"]),
        ("Numba", f"{versions['numba']}, llvmlite {versions['llvmlite']}, NumPy {versions['numpy']}"),
        ("processor", f"{processor['name']}, {processor['cores']} cores, vectors of {processor['vector_bits']} bits"),
        ("features", " ".join(processor["features"])),
        ("threads", f"{threads['count']}, layer {threads['layer']} ({threads['limit']})"),
        ("kernels kept in", f"{kept}, mode {cache['mode']})" if cache["folder"] else f"nowhere ({cache['why']})"),
        ("CUDA", f"{found['cuda']}; kernels run on the CPU in this version"),
        ("Graphviz", _graphviz(found["graphviz"])),
        ("matplotlib", found["extras"]["matplotlib"] or f"missing: no learning curves ({_EXTRA})"),
        ("scikit-learn", found["extras"]["scikit-learn"] or f"missing: no digits ({_EXTRA})"),
        ("data", "\n".join(f"{place['folder']} ({place['holds'] or 'empty'})" for place in found["data"])),
    ]


def _processor() -> dict[str, Any]:
    found = processor()
    return {
        "name": found.name,
        "cores": os.cpu_count(),
        "vector_bits": found.vector_bits,
        "features": list(found.features),
    }


_LIMITS = {
    "tbb": "safe with any Python threads and forks",
    "omp": "safe with any Python threads; a forked child computes on one thread",
    "workqueue": "one parallel kernel at a time",
    None: "chosen at the first parallel kernel",
}


def _threads() -> dict[str, Any]:
    info = threading_layer_info()
    layer: str | None = info.layer
    return {"count": info.threads, "layer": layer, "limit": _LIMITS[layer]}


def _cache() -> dict[str, Any]:
    info = jit.cache_info()
    return {
        "folder": None if info.folder is None else str(info.folder),
        "why": info.why,
        "mode": info.mode,
        "kernels": info.entries,
        "bytes": info.bytes,
    }


def cuda() -> str:
    """What the CUDA driver says, if there is one: its version and the names of the GPUs.

    >>> isinstance(cuda(), str)
    True
    """
    try:
        driver = ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return "no driver found"
    code = driver.cuInit(0)
    if code != 0:
        return f"a driver, but no usable GPU (cuInit gives {code})"
    version, count = ctypes.c_int(), ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(version))
    driver.cuDeviceGetCount(ctypes.byref(count))
    names = []
    for i in range(count.value):
        name = ctypes.create_string_buffer(256)
        driver.cuDeviceGetName(name, len(name), i)
        names.append(name.value.decode(errors="replace"))
    return f"driver {version.value // 1000}.{version.value % 1000 // 10}, {', '.join(names) or 'no GPU'}"


def _graphviz(found: dict[str, Any]) -> str:
    if found["pygraphviz"]:
        return f"pygraphviz {found['pygraphviz']}"
    return found["dot"] or f"not installed: viz lays graphs out by itself ({_EXTRA})"


def _data() -> list[dict[str, Any]]:
    return [_place(folder) for folder in search_folders("", None)]


def _place(folder: Path) -> dict[str, Any]:
    known = ("mnist", "fashion-mnist")
    return {"folder": str(folder), "holds": ", ".join(name for name in known if (folder / name).is_dir())}


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
