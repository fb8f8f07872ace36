"""The same bits for every number of threads, from run to run and from process to process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).with_name("with_threads.py")
THREADS = (1, 2, 3, 4, 4)  # the last once more


def results(most: int, *threads: int) -> Any:
    """What `with_threads.py` prints in a process of `most` threads, which may be more than there are processors."""
    here = PROGRAM.parent
    environment = os.environ | {
        "NUMBA_NUM_THREADS": str(most),
        "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)]),
    }
    command = [sys.executable, str(PROGRAM), *map(str, threads)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.timeout(600)
def test_same_bits() -> None:
    """Of every parallel kernel: one that nothing here runs has to be given something to do."""
    found = results(4, *THREADS)
    assert not found["idle"]
    assert not {name: bits for name, bits in found["bits"].items() if len(set(bits)) != 1}
    elsewhere = results(2, 2)
    assert {name: bits[:1] for name, bits in found["bits"].items()} == elsewhere["bits"]
