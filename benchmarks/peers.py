"""The libraries that we are measured against: which of them are installed, and how they get as many threads as we."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

INSTALL = "pip install 'autograd_cnn[benchmarks]'"
PEERS = ("torch", "torch.compile", "jax")


@dataclass(frozen=True)
class Peers:
    """The peers of this run, and ourselves as `ours`: two namespaces of the same names, ours and PyTorch's."""

    names: tuple[str, ...]
    ours: Any
    torch: Any = None
    threads: int = 1

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def both(self, side: Callable[[Any], Callable[[], Any]]) -> dict[str, Callable[[], Any]]:
        """`side` of us and, where it is a peer, of PyTorch: it is written once, for a namespace of either."""
        sides = {"ours": side(self.ours)}
        if "torch" in self:
            sides["torch"] = side(self.torch)
        return sides


def missing(name: str) -> str | None:
    """Why a peer cannot be measured and how to change that; None where it can."""
    library = name.partition(".")[0]
    if importlib.util.find_spec(library) is None:
        return f"{name} is not installed and is left out: {INSTALL}"
    if name == "torch.compile" and shutil.which(os.environ.get("CXX", "g++")) is None:
        return f"{name} is left out: it needs a C++ compiler, such as g++"
    return None


def load(names: Iterable[str], threads: int) -> Peers:
    """Imports what is measured and gives each side `threads` threads.

    The peers' thread pools and ours are as large as the set of cores that the process may run on, which is cut down
    first.  PyTorch is imported before our kernels: these set OpenMP's GOMP_SPINCOUNT, which PyTorch's own OpenMP
    would read too.  As it is, each side waits the way its users get.  The allocator is one for all: that freed memory
    stays with the process, as our kernels ask for, is the peers' gain as well.
    """
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    names = tuple(names)
    torch = None
    if "torch" in names or "torch.compile" in names:
        import torch

        torch.set_num_threads(threads)
    if "jax" in names:
        os.environ.setdefault("JAX_PLATFORMS", "cpu")
        import jax  # noqa: F401

    import numba

    import autograd_cnn

    numba.set_num_threads(threads)
    return Peers(names, autograd_cnn, torch, threads)


def versions(peers: Peers) -> dict[str, str]:
    """The version of everything that takes part."""
    libraries = ["autograd_cnn", "numpy", "numba", *dict.fromkeys(name.partition(".")[0] for name in peers.names)]
    return {library: importlib.metadata.version(library) for library in libraries}
