"""Random numbers by counting: Philox4x32-10 (Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405).

Four 32-bit words are a function of a key and a counter.  So any thread makes any part of a stream, what forward has
drawn backward draws again, and no mask is kept.
"""

import math

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import adaptive, inline

ROUNDS = 10
# Word w of the blocks with counters b to b + 15 is numbers 16 w to 16 w + 15 of 64: vectors of words need no turning.
BLOCKS = 16
CHUNK = 4 * BLOCKS
PIECE = 32 * CHUNK  # numbers of a task

MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


@inline
def philox(c0, c1, c2, c3, k0, k1):
    """The four words of a block, from its counter and the key, each 32 bits in a uint64."""
    for _ in range(ROUNDS):
        # Above their 32 bits words may hold anything: only the low halves are multiplied.
        first, second = (c0 & LOW) * MULTIPLIER_0, (c2 & LOW) * MULTIPLIER_1
        c0, c1, c2, c3 = (second >> HALF) ^ c1 ^ k0, second, (first >> HALF) ^ c3 ^ k1, first
        k0, k1 = (k0 + WEYL_0) & LOW, (k1 + WEYL_1) & LOW
    return c0 & LOW, c1 & LOW, c2 & LOW, c3 & LOW


def blocks_for(count):
    """How many blocks `count` numbers take."""
    return (count + CHUNK - 1) // CHUNK * BLOCKS


@inline
def _draw(key, block, words):
    """Fills words, (chunks, 4, BLOCKS), with the numbers of blocks from `block` on."""
    zero = np.uint64(0)
    for chunk in range(words.shape[0]):
        for lane in range(BLOCKS):
            counter = block + np.uint64(chunk * BLOCKS + lane)
            w0, w1, w2, w3 = philox(counter & LOW, counter >> HALF, zero, zero, key & LOW, key >> HALF)
            words[chunk, 0, lane] = w0
            words[chunk, 1, lane] = w1
            words[chunk, 2, lane] = w2
            words[chunk, 3, lane] = w3


@adaptive
def _dropout(x, run, key, block, threshold, scale, out):
    scale, zero = x.dtype.type(scale), x.dtype.type(0)
    count = out.size // run
    for piece in prange((count + PIECE - 1) // PIECE):
        first = piece * PIECE
        n = min(count - first, PIECE)
        words = np.empty(((n + CHUNK - 1) // CHUNK, 4, BLOCKS), np.uint32)
        _draw(key, block + np.uint64(first // 4), words)
        numbers = words.reshape(-1)
        if run == 1:
            part, part_out = x[first : first + n], out[first : first + n]
            for i in range(n):
                part_out[i] = part[i] * scale if numbers[i] >= threshold else zero
        else:
            for i in range(n):
                start = (first + i) * run
                kept = numbers[i] >= threshold
                for j in range(start, start + run):
                    out[j] = x[j] * scale if kept else zero


def dropout(x, run, p, key, block, out):
    """x / (1 - p), but 0 with probability p, for `run` elements at a time; number i of a stream decides on run i.

    The stream's numbers are the words of Philox's blocks from counter `block` on under the 64 bits of `key`: it takes
    `blocks_for(runs)`.
    """
    scale = 1 / (1 - p) if p < 1 else 0.0
    threshold = np.uint64(math.ceil(p * 2.0**32))
    _dropout(x.ravel(), run, np.uint64(key), np.uint64(block), threshold, scale, out.ravel())
