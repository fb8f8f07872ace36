"""Numbers of the normal distribution by counting: Box and Muller (1958, https://doi.org/10.1214/aoms/1177706645).

Two numbers are a function of one of Philox's blocks, so any thread makes any part of a stream.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu import vectormath as vm
from autograd_cnn.kernels.cpu.jit import GRAIN, inline, parallel, serial
from autograd_cnn.kernels.cpu.random import BLOCKS, HALF, LOW, NONE, philox
from autograd_cnn.kernels.cpu.shared_code import address_of, call

CHUNK = 2 * BLOCKS  # numbers of BLOCKS blocks: the cosines first, then the sines, as vectors need no turning so
PART = 128  # chunks of one task
WORD = 2.0**-32


def normal_blocks(count):
    """How many blocks `count` normal numbers take."""
    return (count + CHUNK - 1) // CHUNK * BLOCKS


def standard_normal(key, block, out):
    """Standard normal numbers, from Philox's blocks from counter `block` on under the 64 bits of `key`.

    They are sqrt(-2 ln u) cos(v) and sqrt(-2 ln u) sin(v), u of the first two words of a block and v of the others.
    """
    key, block, out = np.uint64(key), np.uint64(block), out.ravel()
    chunks = (out.size + CHUNK - 1) // CHUNK
    if out.size < GRAIN:
        _chunks(0, chunks, key, block, out)
    else:
        _in_parts(address_of(_chunks, 0, 0, key, block, out), chunks, key, block, out)


@inline
def _fill_chunk(key, block, out):
    real = out.dtype.type
    for lane in range(BLOCKS):
        counter = block + np.uint64(lane)
        w0, w1, w2, w3 = philox(counter & LOW, counter >> HALF, NONE, NONE, key & LOW, key >> HALF)
        # In (0, 1], but for rounding
        u = (real(np.int64(w0)) + (real(np.int64(w1)) + real(1)) * real(WORD)) * real(WORD)
        turn = (real(np.int64(w2)) + real(np.int64(w3)) * real(WORD)) * real(WORD) - real(0.5)
        square = real(-2) * vm.log(u)
        radius = np.sqrt(square if square > real(0) else real(0))
        angle = turn * real(2 * math.pi)
        out[lane] = radius * vm.cos_near(angle)
        out[BLOCKS + lane] = radius * vm.sin_near(angle)


@serial
def _chunks(first, last, key, block, out):
    for chunk in range(first, last):
        place, start = chunk * CHUNK, block + np.uint64(chunk * BLOCKS)
        if place + CHUNK <= out.size:
            _fill_chunk(key, start, out[place : place + CHUNK])
        else:
            rest = np.empty(CHUNK, out.dtype)
            _fill_chunk(key, start, rest)
            for i in range(out.size - place):
                out[place + i] = rest[i]


@parallel
def _in_parts(code, chunks, key, block, out):
    for part in prange((chunks + PART - 1) // PART):
        first = np.int64(part) * PART
        call(code, (first, min(first + PART, chunks), key, block, out))
