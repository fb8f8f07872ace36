"""No kernel reads or writes out of bounds.

Samples that reach every op run in a process that checks each index, and all of them in one where the pages beside every
array are forbidden: that is the code that users run, with its threads and its pointers.
"""

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
GUARDED = Path(__file__).with_name("with_arrays_guarded.py")


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


def guarded(argument: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(GUARDED), argument]
    return subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("side", ["after", "before"])
def test_samples_touch_nothing_beside_their_arrays(side: str) -> None:
    process = guarded(side)
    last = process.stdout.splitlines()[-1:]
    assert (process.returncode, last) == (0, ["finished"]), (last, process.stderr)


def test_a_planted_read_beside_an_array_kills() -> None:
    process = guarded("planted")
    assert process.returncode < 0
    assert "Segmentation fault" in process.stderr
