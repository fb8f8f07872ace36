"""Folders that are not safe, not there, full or read-only."""

import errno
import os
import stat
import subprocess
import sys
import tempfile

import pytest
from kernels_to_cache import DTYPES, caught_warnings, fresh_kernels, fresh_store, prepare, scaled_by_three

from autograd_cnn.kernels.cpu import jit

pytestmark = pytest.mark.skipif(jit.CHECK_BOUNDS, reason="kernels are not cached while bounds are checked")


@pytest.fixture
def store(tmp_path, monkeypatch):
    return prepare(monkeypatch, tmp_path)


# Folders


def as_symbolic_link(path):
    (path.parent / "elsewhere").mkdir(mode=0o700)
    path.symlink_to(path.parent / "elsewhere")


def as_open_folder(path):
    path.mkdir()
    path.chmod(0o755)


def as_file(path):
    path.touch()


def as_folder_of_another_user(path):
    path.mkdir(mode=0o700)
    try:
        os.chown(path, 12345, -1)
    except PermissionError:
        pytest.skip("only root gives folders away")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="folders are guarded by the user's profile")
@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (as_symbolic_link, "not a folder but l"),
        (as_open_folder, "mode is 755, not 700"),
        (as_file, "not a folder but -"),
        (as_folder_of_another_user, "belongs to user 12345"),
    ],
)
def test_an_unsafe_folder_is_left_for_the_next_choice(make, reason, store, tmp_path, monkeypatch):
    make(tmp_path / "compiled")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setattr(sys, "platform", "linux")
    _, (message,) = caught_warnings(lambda: store.root)
    assert reason in message
    assert (store.root, store.why) == (tmp_path / "caches" / "autograd_cnn", "the user's cache folder")
    assert stat.S_IMODE(store.root.stat().st_mode) == 0o700


def test_without_any_folder_kernels_run_all_the_same(store, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    monkeypatch.setenv("AUTOGRAD_CNN_CACHE", str(tmp_path / "file" / "compiled"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    kernels = fresh_kernels(monkeypatch, tmp_path)
    right, messages = caught_warnings(lambda: scaled_by_three(kernels))
    assert right
    assert len(messages) == 1  # about the folder that the user named
    info = jit.cache_info()
    assert (info.folder, info.mode, info.entries) == (None, None, 0)
    assert jit.compile_notice().endswith("; not kept: no folder was both private and writable")
    assert jit.clear_cache() == 0


def test_without_a_home_the_folder_for_temporary_files_serves(store, tmp_path, monkeypatch):
    for name in ("AUTOGRAD_CNN_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as where the user has no entry in passwd
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert store.why == "the folder for temporary files"
    assert store.root.parent == tmp_path
    assert scaled_by_three(fresh_kernels(monkeypatch, tmp_path))
    assert len(store.entries()) == 2


def test_nothing_is_left_in_the_home_of_another_user(store, tmp_path, monkeypatch):
    as_folder_of_another_user(tmp_path / "home")
    monkeypatch.delenv("AUTOGRAD_CNN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / ".cache"))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert store.why == "the folder for temporary files"
    assert list((tmp_path / "home").iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EDQUOT, errno.EIO])
@pytest.mark.parametrize("call", ["mkdir", "open", "write", "replace"])
def test_an_error_of_the_disk_never_reaches_the_caller(call, code, store, tmp_path, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    assert store.root.exists()
    kernels = fresh_kernels(monkeypatch, tmp_path)
    place, name = {
        "mkdir": (os, "mkdir"),
        "open": (tempfile, "mkstemp"),
        "write": (os, "fdopen"),
        "replace": (os, "replace"),
    }[call]
    monkeypatch.setattr(place, name, fail)
    right, messages = caught_warnings(lambda: scaled_by_three(kernels, "int8") and scaled_by_three(kernels, "int16"))
    assert right
    assert len(messages) == 1
    assert os.strerror(code) in messages[0]
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


@pytest.fixture
def tiny_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k,mode=700", "tmpfs", str(place)]
    if not sys.platform.startswith("linux") or os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full_and_then_read_only(tiny_disk, tmp_path, store, monkeypatch):
    monkeypatch.setenv("AUTOGRAD_CNN_CACHE", str(tiny_disk / "compiled"))
    kernels = fresh_kernels(monkeypatch, tmp_path)
    right, messages = caught_warnings(lambda: all(scaled_by_three(kernels, dtype) for dtype in DTYPES))
    assert right
    assert len(messages) == 1
    assert os.strerror(errno.ENOSPC) in messages[0]
    assert all(path.suffix == ".nbc" for path in store.folder.iterdir())

    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    store = fresh_store(monkeypatch)
    kernels = fresh_kernels(monkeypatch, tmp_path)
    right, messages = caught_warnings(lambda: all(scaled_by_three(kernels, dtype) for dtype in DTYPES))
    assert right
    assert len(messages) == 1
    assert os.strerror(errno.EROFS) in messages[0]
    assert store.hits >= 1  # what fitted is still served
