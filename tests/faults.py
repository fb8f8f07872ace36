"""Saves under injected faults: every file operation of a save is made to fail, or to be the process's last.

`python faults.py FOLDER` runs with the library of `faultshim.c` preloaded and prints, as JSON, how many
points were tried for each operation and fault.  Each point is a forked child, judged by the parent.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import subprocess
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np

KILL, KILL_AFTER_HALF, SHORT_WRITE = -1, -2, -3
DIED, REFUSED, SAVED = 137, 10, 0

# name: (mode, whether the fault stays from the n-th operation on)
FAULTS = {
    "killed": (KILL, False),
    "killed in mid-write": (KILL_AFTER_HALF, False),
    "disk full": (errno.ENOSPC, True),
    "no space once": (errno.ENOSPC, False),
    "I/O error": (errno.EIO, False),
    "over quota": (errno.EDQUOT, False),
    "short write": (SHORT_WRITE, False),
}


def build_shim(folder: Path) -> Path | None:
    """The preloadable library, or None where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    library = folder / "faultshim.so"
    source = Path(__file__).with_name("faultshim.c")
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def model(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {"w": rng.standard_normal((5, 3)).astype(np.float32), "n": np.array(seed)}


class StoreCase:
    """A save to a `CheckpointStore` in which the checkpoints of some steps are already there."""

    def __init__(self, before: list[int], step: int) -> None:
        self.before, self.step = before, step

    def prepare(self, folder: Path) -> None:
        for step in self.before:
            self.write(folder, step, seed=step)

    def write(self, folder: Path, step: int, seed: int) -> None:
        from autograd_cnn.train import CheckpointStore

        slots = {"state": {0: {"momentum_buffer": np.full(3, seed)}}, "param_groups": [{"lr": 0.1}]}
        CheckpointStore(folder / "run").save(step, model(seed), slots, {"seed": seed})

    def act(self, folder: Path) -> None:
        self.write(folder, self.step, seed=77)

    def judge(self, folder: Path, outcome: int) -> None:
        from autograd_cnn.errors import CheckpointError
        from autograd_cnn.train import CheckpointStore

        store = CheckpointStore(folder / "run")
        seeds = {77} if outcome == SAVED else {77, *self.before[-1:]}
        try:
            found = store.load()
        except CheckpointError:
            assert not self.before, "the earlier checkpoint is lost"
            assert outcome != SAVED, "a finished save cannot be loaded"
        else:
            seed = found.state["seed"]
            assert seed in seeds
            assert found.step == (self.step if seed == 77 else self.before[-1])
            assert {k: v.tobytes() for k, v in found.model.items()} == {k: v.tobytes() for k, v in model(seed).items()}
            assert found.optim["state"][0]["momentum_buffer"].tolist() == [seed] * 3
        self.write(folder, 99, seed=99)
        names = sorted(os.listdir(folder / "run"))
        assert store.load().step == 99
        assert all(name.startswith("step-") and len(name) == 13 for name in names), names
        assert len(names) <= 2
        for name in names:
            assert len(os.listdir(folder / "run" / name)) == 4


class FileCase:
    """A save of one state dict over an older file."""

    def prepare(self, folder: Path) -> None:
        self.write(folder, seed=1)

    def write(self, folder: Path, seed: int) -> None:
        from autograd_cnn import serialize

        serialize.save(model(seed), folder / "model.safetensors")

    def act(self, folder: Path) -> None:
        self.write(folder, seed=77)

    def judge(self, folder: Path, outcome: int) -> None:
        from autograd_cnn import serialize

        seed = int(serialize.read(folder / "model.safetensors").tensors["n"])
        assert seed in ({77} if outcome == SAVED else {1, 77})
        assert serialize.read(folder / "model.safetensors").tensors["w"].tobytes() == model(seed)["w"].tobytes()
        self.write(folder, seed=99)
        assert os.listdir(folder) == ["model.safetensors"]


CASES = {
    "first save": StoreCase([], 1),
    "overwrite": StoreCase([1], 1),
    "rotation": StoreCase([1, 2], 3),
    "single file": FileCase(),
}


def run_child(case: StoreCase | FileCase, folder: Path, mode: int, point: int, stays: bool) -> tuple[int, bool]:
    """Saves in a child with the fault at one point; gives its outcome and whether the point was reached."""
    shim = ctypes.CDLL(None)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        outcome = 1
        try:
            from autograd_cnn.errors import CheckpointError

            shim.fault_arm(os.fsencode(folder), mode, ctypes.c_long(point), stays)
            try:
                case.act(folder)
                outcome = SAVED
            except CheckpointError as error:
                message = str(error)
                named = str(folder) in message and "bytes" in message and os.strerror(mode) in message
                outcome = REFUSED if named else 1
                if not named:
                    traceback.print_exc()
            shim.fault_count.restype = ctypes.c_long
            os.write(writing, b"+" if shim.fault_count() >= point else b"-")
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(outcome)
    os.close(writing)
    outcome = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    reached = os.read(reading, 1) != b"-"
    os.close(reading)
    assert outcome in (DIED, REFUSED, SAVED), f"the save ended with {outcome}"
    return outcome, reached


def sweep(case: StoreCase | FileCase, folder: Path, mode: int, stays: bool) -> dict[str, int]:
    """Every point of one operation under one fault: how many ended how."""
    ends = {"points": 0, "died": 0, "refused": 0, "saved": 0}
    for point in range(1, 1000):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        case.prepare(folder)
        outcome, reached = run_child(case, folder, mode, point, stays)
        try:
            case.judge(folder, outcome)
        except BaseException as error:
            raise AssertionError(f"at operation {point}, which ended with {outcome}") from error
        if not reached:
            return ends
        ends["points"] += 1
        ends[{DIED: "died", REFUSED: "refused", SAVED: "saved"}[outcome]] += 1
    raise AssertionError("the save never ends")


def main(folder: Path) -> None:
    warnings.simplefilter("ignore")
    import autograd_cnn.train  # noqa: F401  (before the forks, so that each child has it)

    counts: dict[str, dict[str, dict[str, int]]] = {}
    for case_name, case in CASES.items():
        for fault, (mode, stays) in FAULTS.items():
            try:
                ends = sweep(case, folder / "point", mode, stays)
            except AssertionError as error:
                raise AssertionError(f"{case_name}, {fault}: {error}") from error
            counts.setdefault(case_name, {})[fault] = ends
    print(json.dumps(counts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
