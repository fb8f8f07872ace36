"""What the processor is, as the compiler sees it."""

from dataclasses import dataclass

import llvmlite.binding as llvm

_WIDTHS = (("avx512f", 512), ("avx2", 256), ("avx", 256), ("neon", 128), ("sse2", 128))
_TELLING = ("avx512f", "avx2", "fma", "avx", "f16c", "sse4.2", "sve", "neon")


@dataclass(frozen=True)
class Processor:
    """Its name, the bits of its widest vectors, and those of its features that decide how fast kernels are."""

    name: str
    vector_bits: int
    features: tuple[str, ...]


def processor() -> Processor:
    """The processor of this machine.

    >>> processor().vector_bits in (128, 256, 512)
    True
    """
    found = llvm.get_host_cpu_features()
    bits = next((bits for name, bits in _WIDTHS if found.get(name)), 128)
    return Processor(llvm.get_host_cpu_name(), bits, tuple(name for name in _TELLING if found.get(name)))
