"""Runs the samples named on stdin in float32, forward and backward, with every kernel checking its indices.

A program of its own: `AUTOGRAD_CNN_CHECK_BOUNDS=1` must be set before the kernels are imported.  With `planted`
as its argument it runs a kernel that reads one element too far instead.
"""

from __future__ import annotations

import sys

import numpy as np
from running import gradients, run, tensors
from samples import SAMPLES
from samples.sample import FLOATS

from autograd_cnn.kernels.cpu import jit


def shifted(x, out):
    for i in range(out.size):
        out[i] = x[i + 1]


def main() -> None:
    if not jit.CHECK_BOUNDS:
        raise SystemExit("AUTOGRAD_CNN_CHECK_BOUNDS is not set")
    if sys.argv[1:] == ["planted"]:
        jit.adaptive(shifted)(np.zeros(3), np.zeros(3))
    for name in sys.stdin.read().splitlines():
        sample = SAMPLES[name]
        inputs = tensors(sample, sample.arrays(FLOATS[0]), sample.derivatives() > 0)
        try:
            outputs = run(sample, inputs)
            if sample.derivatives() > 0:
                gradients(outputs, inputs)
        except IndexError as error:
            raise SystemExit(f"{name}: {error}") from error


if __name__ == "__main__":
    main()
