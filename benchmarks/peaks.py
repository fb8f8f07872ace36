"""What the machine can do at most: multiplications and additions a second, and bytes a second from memory.

The multiplications do not go through our micro-kernel, which must not be its own yardstick: chains of independent
fused multiply-adds on vectors that stay in registers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from llvmlite import ir
from numba import get_num_threads, prange, types
from numba.core import cgutils
from numba.extending import intrinsic

from autograd_cnn.kernels.cpu.jit import parallel
from autograd_cnn.kernels.cpu.microkernel import VECTOR_BYTES

CHAINS = 12  # twice the latency times the throughput of today's cores leaves registers to spare
LANES = VECTOR_BYTES // 4
STEPS = 1 << 20
TRIAD = 1 << 25  # float32 numbers in each of two arrays: 256 MiB, beyond the caches
REPEATS = 12


@dataclass(frozen=True)
class Peaks:
    """GFLOP/s in float32 and GB/s, on all threads of the run."""

    gflops: float
    gbytes: float


@intrinsic
def _chains(typingctx, steps, factor):
    """`steps` fused multiply-adds x = x * factor + x on each of CHAINS vectors; returns a number of the result."""
    signature = types.float32(types.intp, types.float32)

    def codegen(context, builder, signature, arguments):
        steps, factor = arguments
        vector = ir.VectorType(ir.FloatType(), LANES)
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fmuladd.v{LANES}f32"
        )
        zero = ir.Constant(ir.IntType(32), 0)
        first = builder.insert_element(ir.Constant(vector, ir.Undefined), factor, zero)
        broadcast = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        factors = builder.shuffle_vector(first, first, broadcast)
        places = [cgutils.alloca_once_value(builder, factors) for _ in range(CHAINS)]
        with cgutils.for_range(builder, steps):
            for place in places:
                x = builder.load(place)
                builder.store(builder.call(fma, [x, factors, x]), place)
        total = builder.load(places[0])
        for place in places[1:]:
            total = builder.fadd(total, builder.load(place))
        return builder.extract_element(total, zero)

    return signature, codegen


@parallel
def multiply_add_chains(steps, factor, out):
    for thread in prange(out.size):
        out[thread] = _chains(steps, factor)


@parallel
def triad(a, scale, out):
    # In place: a line that is only written would be read first, unseen, and the memory seem slower than it is.
    for i in prange(out.size):
        out[i] = out[i] + scale * a[i]


def measure() -> Peaks:
    """The best of a few tries: noise only ever slows a machine down."""
    threads = get_num_threads()
    results = np.empty(threads, np.float32)
    operations = 2 * CHAINS * LANES * STEPS * threads
    gflops = operations / _fastest(multiply_add_chains, STEPS, np.float32(1e-9), results) * 1e-9
    a, out = np.ones(TRIAD, np.float32), np.ones(TRIAD, np.float32)
    gbytes = (a.nbytes + 2 * out.nbytes) / _fastest(triad, a, np.float32(0.5), out) * 1e-9
    return Peaks(gflops, gbytes)


def _fastest(kernel, *arguments) -> float:
    kernel(*arguments)
    best = float("inf")
    for _ in range(REPEATS):
        start = time.perf_counter()
        kernel(*arguments)
        best = min(best, time.perf_counter() - start)
    return best
