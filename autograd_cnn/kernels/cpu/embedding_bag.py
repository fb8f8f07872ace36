"""Sums over bags of rows of a table; bags are independent pieces of work."""

from functools import lru_cache

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu.jit import GRAIN, parallel, serial
from autograd_cnn.kernels.cpu.shared_code import address_of, call

BLOCK = 8192  # elements of the table that a task reads


def embedding_bag(weight, ids, starts, factors, out):
    """out[i] = the sum of factors[j] weight[ids[j]] over starts[i] <= j < starts[i + 1]; no factors are all 1.

    weight: (count, features), ids and factors: (n,), starts: (bags + 1,), out: (bags, features).
    """
    weight = np.ascontiguousarray(weight)
    factors = np.empty(0, weight.dtype) if factors is None else np.ascontiguousarray(factors)
    arrays = weight, np.ascontiguousarray(ids), starts, factors, out
    if ids.size * weight.shape[1] < GRAIN:
        _bags(0, out.shape[0], *arrays)
    else:
        _in_blocks(_address(weight.dtype), *arrays)


@lru_cache
def _address(dtype):
    table, ids = np.zeros((1, 1), dtype), np.zeros(1, np.int64)
    return address_of(_bags, 0, 0, table, ids, ids, np.zeros(1, dtype), table)


@serial
def _bags(first, last, weight, ids, starts, factors, out):
    features = out.shape[1]
    for bag in range(first, last):
        row = out[bag]
        for k in range(features):
            row[k] = 0
        for j in range(starts[bag], starts[bag + 1]):
            source = weight[ids[j]]
            if factors.size > 0:
                factor = factors[j]
                for k in range(features):
                    row[k] += factor * source[k]
            else:
                for k in range(features):
                    row[k] += source[k]


@parallel
def _in_blocks(kernel, weight, ids, starts, factors, out):
    bags = out.shape[0]
    blocks = min(max(ids.size * out.shape[1] // BLOCK, 1), bags)
    for index in prange(blocks):
        block = np.int64(index)
        call(kernel, (block * bags // blocks, (block + 1) * bags // blocks, weight, ids, starts, factors, out))
