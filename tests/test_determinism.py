"""The same bits for every number of threads and in every run: all samples that are large enough to run in parallel."""

from __future__ import annotations

from collections.abc import Iterator

import numba
import numpy as np
import pytest
from running import gradients, run, tensors
from samples import SAMPLES
from samples.sample import FLOATS, Sample

LARGE = [name for name, sample in SAMPLES.items() if sample.large]
MOST = numba.config.NUMBA_NUM_THREADS
THREADS = (*range(1, MOST + 1), MOST)  # the last once more


@pytest.fixture
def restored_threads() -> Iterator[None]:
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


def bits(sample: Sample) -> list[bytes]:
    """Everything that a sample computes, forward and backward."""
    inputs = tensors(sample, sample.arrays(FLOATS[0], large=True), sample.derivatives() > 0)
    outputs = run(sample, inputs)
    arrays = [y.detach().numpy() for y in outputs]
    if sample.derivatives() > 0:
        arrays += [g.numpy() for g in gradients(outputs, inputs) if g is not None]
    return [np.ascontiguousarray(array).tobytes() for array in arrays]


@pytest.mark.skipif(MOST < 2, reason="one processor: nothing runs in parallel")
@pytest.mark.parametrize("name", LARGE)
def test_same_bits(name: str, restored_threads: None) -> None:
    results = []
    for threads in THREADS:
        numba.set_num_threads(threads)
        results.append(bits(SAMPLES[name]))
        assert results[-1] == results[0], f"other bits with {threads} threads, or in a second run"


def test_families_without_large_samples() -> None:
    """Those only copy or show memory; every other one is tested above."""
    families = {name.partition(":")[0] for name in SAMPLES}
    assert families - {name.partition(":")[0] for name in LARGE} == {"assign", "cast", "join", "pad", "shape"}
