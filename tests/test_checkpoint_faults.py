"""Saves while the disk fails or the process dies: the earlier checkpoint stays, the error says why."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import faults
import numpy as np
import pytest

from autograd_cnn import serialize
from autograd_cnn.errors import CheckpointError
from autograd_cnn.train import CheckpointStore

MODEL = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "steps": np.array(3)}


def save(store: CheckpointStore, step: int) -> Path:
    return store.save(step, {"w": np.full(3, step)}, {}, {"step": step})


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "run")


def names(store: CheckpointStore) -> list[str]:
    return sorted(os.listdir(store.folder))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="asks Linux which file a descriptor is")
@pytest.mark.parametrize("again", [False, True], ids=["first", "again"])
def test_all_is_flushed_before_it_gets_its_name(
    store: CheckpointStore, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    if again:
        save(store, 1)
    events: list[tuple[str, str]] = []
    sync, rename = os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append(("sync", os.readlink(f"/proc/self/fd/{fd}"))), sync(fd)))
    monkeypatch.setattr(os, "rename", lambda a, b: (events.append(("name", str(b))), rename(a, b)))
    final = str(save(store, 1))
    named = events.index(("name", final))
    synced = {Path(path).name for event, path in events[:named] if event == "sync"}
    assert synced >= {"model.safetensors", "optim.safetensors", "state.json", "manifest.json"}
    assert any(name.startswith(".tmp-step-00000001") for name in synced), "the names in the folder"
    assert events[named + 1] == ("sync", str(store.folder)), "at once, before anything older is removed"
    assert again or ("sync", str(store.folder.parent)) in events


def test_a_file_is_flushed_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append(kind_of(fd)), sync(fd)))
    monkeypatch.setattr(os, "replace", lambda a, b: (events.append("name"), replace(a, b)))
    serialize.save(MODEL, tmp_path / "model.safetensors")
    assert events == ["file", "name", "folder"]


def kind_of(descriptor: int) -> str:
    return "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file"


@pytest.fixture(scope="module")
def quick_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: thousands of flushes to a disk take minutes."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path_factory.mktemp("faults")
        return
    folder = memory / f"autograd_cnn-faults-{os.getpid()}"
    folder.mkdir()
    yield folder
    shutil.rmtree(folder)


def test_a_fault_at_every_file_operation(tmp_path: Path, quick_folder: Path) -> None:
    shim = faults.build_shim(tmp_path)
    if shim is None:
        pytest.skip("no C compiler, or not Linux: the fault library cannot be built")
    child = subprocess.run(
        [sys.executable, faults.__file__, quick_folder],
        env=os.environ | {"LD_PRELOAD": str(shim)},
        capture_output=True,
        text=True,
    )
    assert child.returncode == 0, child.stderr
    counts = json.loads(child.stdout)
    ends = [end for by_fault in counts.values() for end in by_fault.values()]
    killed = [end for by_fault in counts.values() for fault, end in by_fault.items() if fault.startswith("killed")]
    assert sum(end["points"] for end in killed) >= 100
    assert all(end["died"] == end["points"] for end in killed)
    assert sum(end["refused"] for end in ends) >= 100
    assert all(by_fault["short write"]["saved"] == by_fault["short write"]["points"] for by_fault in counts.values())


def test_a_full_disk(tmp_path: Path) -> None:
    mount = shutil.which("mount")
    if mount is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("mounting a 64 KiB disk needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("this system does not let us mount a disk")
    try:
        store = CheckpointStore(disk / "run")
        save(store, 1)
        with pytest.raises(CheckpointError, match=r"step-00000002: .*bytes: .*No space left on device"):
            store.save(2, {"w": np.zeros(100_000)}, {}, {})
        assert names(store) == ["step-00000001"]
        assert store.load().state == {"step": 1}
        save(store, 3)
        assert store.latest() == 3
    finally:
        subprocess.run(["umount", disk], check=True)


def test_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"file/run/step-00000001: .* bytes: .*Not a directory"):
        save(CheckpointStore(tmp_path / "file" / "run"), 1)


@pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")
def test_modes_follow_the_umask(store: CheckpointStore) -> None:
    before = os.umask(0o027)
    try:
        folder = save(store, 1)
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o750
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o640}
