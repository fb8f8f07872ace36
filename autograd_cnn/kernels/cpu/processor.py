"""What the processor is, as the compiler sees it."""

from dataclasses import dataclass

import llvmlite.binding as llvm
from numba.core import config

_WIDTHS = (("avx512f", 512), ("avx2", 256), ("avx", 256), ("neon", 128), ("sse2", 128))
_TELLING = ("avx512f", "avx2", "fma", "avx", "f16c", "sse4.2", "sve", "neon")


@dataclass(frozen=True)
class Processor:
    """Its name, the bits of its widest vectors, and those of its features that decide how fast kernels are."""

    name: str
    vector_bits: int
    features: tuple[str, ...]


def features() -> dict[str, bool]:
    """What kernels may use: the features of this machine, or those that NUMBA_CPU_FEATURES names.

    >>> isinstance(features().get("avx2", False), bool)
    True
    """
    if config.CPU_FEATURES is None:
        return llvm.get_host_cpu_features()
    return {name[1:]: name[0] == "+" for name in config.CPU_FEATURES.split(",") if name}


def processor() -> Processor:
    """The processor that kernels are compiled for.

    >>> processor().vector_bits in (128, 256, 512)
    True
    """
    found = features()
    bits = next((bits for name, bits in _WIDTHS if found.get(name)), 128)
    return Processor(
        config.CPU_NAME or llvm.get_host_cpu_name(), bits, tuple(name for name in _TELLING if found.get(name))
    )
