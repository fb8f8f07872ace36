"""Connectionist temporal classification: the probability that a sequence of label probabilities spells a target.

Alex Graves et al., Connectionist temporal classification, 2006, https://doi.org/10.1145/1143844.1143891.

A target of S labels is a line of 2 S + 1 states, its labels with blanks around each.  At each step a path stays, goes
to the next state, or, where that is a blank between two different labels, to the one after it.  All sums of paths are
kept as logarithms, in float64.  Sequences are independent pieces of work; loops over states are vector code.
"""

from functools import lru_cache
from math import inf

import numpy as np
from numba import prange

from autograd_cnn.kernels.cpu import vectormath as vm
from autograd_cnn.kernels.cpu.jit import GRAIN, inline, parallel, serial
from autograd_cnn.kernels.cpu.shared_code import address_of, call


def ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, alphas, losses):
    """losses[n] = -log P(target n), and the logarithms of the sums of paths that it comes from.

    log_probs: (T, N, C), targets: (N, S) int64, both lengths: (N,) int64, alphas: (N, T, 2 S + 1) float64.
    """
    _run(_losses, log_probs, targets, input_lengths, target_lengths, blank, alphas, losses, losses, log_probs[:0])


def ctc_loss_grad(g, log_probs, targets, input_lengths, target_lengths, blank, alphas, losses, out):
    """out = g (e^log_probs - the probability of being at a label), 0 after a sequence's end and where g is 0.

    That is the gradient for what log_softmax made log_probs of, and as such the one that is usually wanted.
    """
    _run(_slopes, log_probs, targets, input_lengths, target_lengths, blank, alphas, losses, g, out)


def _run(kernel, log_probs, targets, input_lengths, target_lengths, blank, alphas, losses, g, out):
    log_probs = np.ascontiguousarray(log_probs)
    arrays = log_probs, targets, input_lengths, target_lengths, blank, alphas, losses, np.ascontiguousarray(g), out
    count = log_probs.shape[1]
    if alphas.size + log_probs.size < GRAIN:
        kernel(0, count, *arrays)
    else:
        _in_pieces(_address(kernel, log_probs.dtype), count, *arrays)


@lru_cache
def _address(kernel, dtype):
    some, lengths = np.zeros((1, 1, 1), dtype), np.zeros(1, np.int64)
    sums = np.zeros((1, 1, 1)), np.zeros(1, dtype), np.zeros(1, dtype)
    return address_of(kernel, 0, 0, some, np.zeros((1, 1), np.int64), lengths, lengths, 0, *sums, some)


@inline
def _log_sum(x, y, z):
    """log(e^x + e^y + e^z)"""
    top = max(max(x, y), z)
    top = 0.0 if top == -inf else top
    return top + vm.log(vm.exp(x - top) + vm.exp(y - top) + vm.exp(z - top))


@inline
def _states(target, length, blank, labels, skips):
    """The label of each state, and 0 where a path may come to it from two states before, else -inf."""
    for s in range(2 * length + 1):
        labels[s] = target[s // 2] if s % 2 else blank
        skips[s] = 0.0 if s % 2 and s > 2 and labels[s] != labels[s - 2] else -inf


# Serial kernels for sequences [first, last); arguments that only one of them needs the other ignores.


@serial
def _losses(first, last, log_probs, targets, input_lengths, target_lengths, blank, alphas, losses, g, out):
    most = alphas.shape[2]
    labels, skips = np.empty(most, np.int64), np.empty(most)
    emitted = np.empty(most)
    before = np.empty(most + 2)
    for n in range(first, last):
        steps, length = input_lengths[n], target_lengths[n]
        count = 2 * length + 1
        _states(targets[n], length, blank, labels, skips)
        # A path begins in front of its first state, from where it may go to the first two.
        before[:] = -inf
        start = 0.0
        for t in range(steps):
            line = log_probs[t, n]
            for s in range(count):
                emitted[s] = line[labels[s]]
            row = alphas[n, t]
            if t == 0:
                row[:count] = -inf
                row[0] = emitted[0]
                if count > 1:
                    row[1] = emitted[1]
            else:
                for s in range(count):
                    row[s] = emitted[s] + _log_sum(before[s + 2], before[s + 1], before[s] + skips[s])
            before[2 : count + 2] = row[:count]
            start = -inf
        total = start
        if steps > 0:
            total = _log_sum(before[count + 1], before[count] if count > 1 else -inf, -inf)
        elif length > 0:
            total = -inf
        losses[n] = -total


@serial
def _slopes(first, last, log_probs, targets, input_lengths, target_lengths, blank, alphas, losses, g, out):
    most = alphas.shape[2]
    labels, skips = np.empty(most, np.int64), np.empty(most)
    emitted, shares = np.empty(most), np.empty(most)
    after, betas = np.empty(most + 2), np.empty(most)
    ahead = np.empty(most)
    for n in range(first, last):
        steps, length = input_lengths[n], target_lengths[n]
        count = 2 * length + 1
        for t in range(log_probs.shape[0]):
            out[t, n, :] = 0
        if g[n] == 0:
            continue
        _states(targets[n], length, blank, labels, skips)
        for s in range(count):
            ahead[s] = skips[s + 2] if s + 2 < count else -inf
        after[:] = -inf
        loss = np.float64(losses[n])
        for t in range(steps - 1, -1, -1):
            line, slope = log_probs[t, n], out[t, n]
            for s in range(count):
                emitted[s] = line[labels[s]]
            if t == steps - 1:
                betas[:count] = -inf
                betas[count - 1] = 0.0
                if count > 1:
                    betas[count - 2] = 0.0
            else:
                for s in range(count):
                    betas[s] = _log_sum(after[s], after[s + 1], after[s + 2] + ahead[s])
            row = alphas[n, t]
            for s in range(count):
                shares[s] = vm.exp(row[s] + betas[s] + loss)
            for c in range(line.size):
                slope[c] = vm.exp(line[c])
            for s in range(count):
                slope[labels[s]] -= shares[s]
            for c in range(line.size):
                slope[c] *= g[n]
            for s in range(count):
                after[s] = betas[s] + emitted[s]


@parallel
def _in_pieces(kernel, count, log_probs, targets, input_lengths, target_lengths, blank, alphas, losses, g, out):
    for index in prange(count):
        n = np.int64(index)
        arrays = (log_probs, targets, input_lengths, target_lengths, blank, alphas, losses, g, out)
        call(kernel, (n, n + 1, *arrays))
