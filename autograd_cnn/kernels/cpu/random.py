"""Random numbers by counting: Philox4x32-10 (Salmon et al. 2011, https://doi.org/10.1145/2063384.2063405).

Four 32-bit words are a function of a key and a counter, so any thread makes any part of a stream.
"""

import math

import numpy as np
from llvmlite import ir
from numba import prange
from numba.core import types
from numba.core.errors import TypingError
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

from autograd_cnn.kernels.cpu.jit import adaptive, inline

ROUNDS = 10
# Word w of the blocks with counters b to b + 15 is numbers 16 w to 16 w + 15 of 64: vectors of words need no turning.
BLOCKS = 16
CHUNK = 4 * BLOCKS
BITS = 32  # of a word of a mask
WORDS = 64  # words of a mask that are one task

MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
NONE, ONE = np.uint64(0), np.uint64(1)


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
def _compared(key, block, threshold):
    """Two words of which bit i says whether number i of the chunk at `block` is at least `threshold`."""
    low_bits, high_bits = np.uint64(0), np.uint64(0)
    for lane in range(BLOCKS):
        counter = block + np.uint64(lane)
        w0, w1, w2, w3 = philox(counter & LOW, counter >> HALF, NONE, NONE, key & LOW, key >> HALF)
        bit, upper = ONE << np.uint64(lane), ONE << np.uint64(lane + BLOCKS)
        low_bits |= (bit if w0 >= threshold else NONE) | (upper if w1 >= threshold else NONE)
        high_bits |= (bit if w2 >= threshold else NONE) | (upper if w3 >= threshold else NONE)
    return np.uint32(low_bits), np.uint32(high_bits)


@intrinsic
def _keep_word(typingctx, x, first, bits, scale, out):
    """out[first + i] = x[first + i] * scale where bit i of a word is set, else 0, for i below BITS."""
    arrays = all(isinstance(array, types.Array) and array.ndim == 1 and array.layout == "C" for array in (x, out))
    if not arrays or x.dtype != out.dtype:
        raise TypingError("_keep_word takes one-dimensional contiguous arrays of one dtype")

    def codegen(context, builder, signature, arguments):
        x, first, bits, scale, out = arguments
        source, target = signature.args[0], signature.args[-1]  # the source may be read-only
        vector = ir.VectorType(context.get_data_type(source.dtype), BITS)

        def place(kind, array):
            start = builder.gep(make_array(kind)(context, builder, array).data, [first])
            return builder.bitcast(start, vector.as_pointer())

        values = builder.load(place(source, x))
        values.align = source.dtype.bitwidth // 8
        lane = ir.Constant(ir.IntType(32), 0)
        scales = builder.insert_element(ir.Constant(vector, ir.Undefined), scale, lane)
        scales = builder.shuffle_vector(scales, scales, ir.Constant(ir.VectorType(lane.type, BITS), [0] * BITS))
        kept = builder.bitcast(bits, ir.VectorType(ir.IntType(1), BITS))
        result = builder.select(kept, builder.fmul(values, scales), ir.Constant(vector, None))
        builder.store(result, place(target, out)).align = values.align
        return context.get_dummy_value()

    return types.void(x, types.intp, types.uint32, x.dtype, out), codegen


@inline
def _keep(x, bits, word, run, scale, out):
    """out = x * scale where the bit of the run of elements is set, else 0, for the runs of one word of the mask."""
    first = word * BITS * run
    if run == 1 and first + BITS <= out.size:
        _keep_word(x, first, bits, scale, out)
    else:
        for i in range(min(BITS, out.size // run - word * BITS)):
            kept = bits & (np.uint32(1) << np.uint32(i))
            for j in range(first + i * run, first + (i + 1) * run):
                out[j] = x[j] * scale if kept else x.dtype.type(0)


@adaptive
def _dropout(x, run, key, block, threshold, scale, mask, out):
    scale = x.dtype.type(scale)
    for piece in prange((mask.size + WORDS - 1) // WORDS):
        for word in range(piece * WORDS, min(piece * WORDS + WORDS, mask.size), 2):
            low_bits, high_bits = _compared(key, block + np.uint64(word * (BITS // 4)), threshold)
            mask[word] = low_bits
            _keep(x, low_bits, word, run, scale, out)
            if word + 1 < mask.size:
                mask[word + 1] = high_bits
                _keep(x, high_bits, word + 1, run, scale, out)


@adaptive
def _dropout_apply(x, mask, run, scale, out):
    scale = x.dtype.type(scale)
    for word in prange(mask.size):
        _keep(x, mask[word], word, run, scale, out)


def dropout(x, run, p, key, block, mask, out):
    """x / (1 - p), but 0 with probability p, for `run` elements at a time; number i of a stream decides on run i.

    The stream's numbers are the words of Philox's blocks from counter `block` on under the 64 bits of `key`: it takes
    `blocks_for(runs)`.  mask, int32, gets a bit for each run, 1 for what is kept, from the lowest on.
    """
    threshold = np.uint64(math.ceil(p * 2.0**32))
    key, block = np.uint64(key), np.uint64(block)
    _dropout(x.ravel(), run, key, block, threshold, _scale(p), mask.view(np.uint32), out.ravel())


def dropout_apply(x, mask, run, p, out):
    """`dropout` by a mask that it made."""
    _dropout_apply(x.ravel(), mask.view(np.uint32), run, _scale(p), out.ravel())


def _scale(p):
    return 1 / (1 - p) if p < 1 else 0.0
