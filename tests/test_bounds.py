"""No kernel reads or writes out of bounds: samples that reach every op, in a process that checks each index."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from running import every_op, gradients, run, tensors, watched
from samples import SAMPLES
from samples.sample import FLOATS

PROGRAM = Path(__file__).with_name("with_bounds_checked.py")


def checked(*arguments: str, names: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    # Kernels are compiled anew in each run: less optimisation makes that bearable, and changes no index.
    environment = os.environ | {"AUTOGRAD_CNN_CHECK_BOUNDS": "1", "NUMBA_OPT": "1"}
    return subprocess.run(
        [sys.executable, str(PROGRAM), *arguments],
        input="\n".join(names),
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def covering() -> tuple[str, ...]:
    """A few samples that reach every op that any sample reaches forward or backward."""
    ops = every_op()
    seen: set[object] = set()
    names = []
    for name, sample in SAMPLES.items():
        if min((array.size for array in sample.arrays()), default=0) < 2:
            continue
        with watched(ops) as reached:
            inputs = tensors(sample, sample.arrays(FLOATS[0]), sample.derivatives() > 0)
            outputs = run(sample, inputs)
            if sample.derivatives() > 0:
                gradients(outputs, inputs)
        if reached - seen:
            seen |= reached
            names.append(name)
    return tuple(names)


@pytest.mark.timeout(300)
def test_samples_stay_within_bounds() -> None:
    names = covering()
    assert len(names) > 50
    process = checked(names=names)
    assert process.returncode == 0, process.stderr


def test_a_planted_error_is_caught() -> None:
    process = checked("planted")
    assert process.returncode != 0
    assert "IndexError: index is out of bounds" in process.stderr
