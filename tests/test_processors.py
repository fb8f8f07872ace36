"""The vector code of narrower processors: the tests of kernels once more where there is no AVX-512, or no AVX."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import test_contraction
import test_conv_kernels

from autograd_cnn.kernels.cpu import microkernel
from autograd_cnn.kernels.cpu.processor import processor

BASE = "+64bit,+cmov,+cx8,+fxsr,+mmx,+sse,+sse2"
HASWELL = BASE + ",+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+avx,+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+movbe"
TARGETS = {"haswell": (HASWELL, 32), "x86-64": (BASE, 16)}  # features, and bytes of a vector


TESTS = {  # of kernels that have vector code of their own, or leave it to LLVM
    "test_vectormath": ("test_single_precision", "test_double_precision"),
    "test_elementwise_kernels": ("test_activations_with_parameters", "test_gradients_are_the_derivatives"),
    "test_softmax_kernels": ("test_softmax_and_its_gradient", "test_cross_entropy_matches_the_formula"),
    "test_norm_kernels": ("test_training_and_its_gradient", "test_layer_norm_and_its_gradient"),
    "test_pool_kernels": (
        "test_max_pool_matches_the_definition",
        "test_gradient_and_reading_are_adjoint",
        "test_avg_pool_matches_the_definition",
    ),
    "test_reduce_kernels": ("test_variance", "test_float32_is_summed_in_float64", "test_nan_and_inf"),
    "test_conv_depthwise": ("test_chosen_shapes", "test_random_shapes"),
    "test_recurrent_kernels": ("test_against_steps_in_double_precision",),
    "test_winograd": ("test_against_sums_over_windows", "test_what_is_not_finite_stays_where_it_belongs"),
}


def check() -> None:
    """Runs in a process of its own, compiled for another processor."""
    here = Path(__file__).parent
    chosen = [str(here / f"{module}.py::{test}") for module, tests in TESTS.items() for test in tests]
    # Of kernels that take both floats one is enough: compiling is most of the time.
    assert pytest.main([*chosen, "-q", "-n0", "-x", "-k", "not float64 and not int64", "-p", "no:cacheprovider"]) == 0
    rng = np.random.default_rng(0)
    for dtype in test_contraction.FLOATS:
        for m, k, n in ((33, 270, 29), (7, 5, 3), (64, 64, 96), (1, 300, 40)):
            a, b = (test_contraction.random(rng, shape, dtype) for shape in ((m, k), (k, n)))
            assert test_contraction.close(test_contraction.product(a, b), a, b), (m, k, n)
        for case in test_conv_kernels.random_cases(rng, 40) + test_conv_kernels.CASES[:3]:
            test_conv_kernels.check(case, dtype, *test_conv_kernels.arrays(case, dtype))
    print(microkernel.VECTOR_BYTES, processor().vector_bits // 8)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the targets are those of x86-64")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", TARGETS)
def test_vectors_of_other_processors(name: str, tmp_path: Path) -> None:
    features, width = TARGETS[name]
    here = Path(__file__).parent
    environment = os.environ | {
        "AUTOGRAD_CNN_CACHE": str(tmp_path),
        "NUMBA_CPU_NAME": name,
        "NUMBA_CPU_FEATURES": features,
        "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)]),
    }
    command = [sys.executable, "-c", "import test_processors; test_processors.check()"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split()[-2:] == [str(width), str(width)]
