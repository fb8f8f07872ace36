"""What the compile cache keeps, what makes a kernel another kernel, and entries that are torn or foreign."""

import os
import shutil
import stat

import numpy as np
import pytest
from kernels_to_cache import (
    DTYPES,
    HELPER,
    KERNELS,
    caught_warnings,
    fresh_kernels,
    fresh_store,
    prepare,
    scaled_by_three,
    write_kernels,
)
from numba.core import config

from autograd_cnn.kernels.cpu import cache, compile_log, fingerprint, jit

pytestmark = pytest.mark.skipif(jit.CHECK_BOUNDS, reason="kernels are not cached while bounds are checked")


@pytest.fixture
def store(tmp_path, monkeypatch):
    return prepare(monkeypatch, tmp_path)


# Kept and found again


def test_a_second_process_compiles_nothing(store, tmp_path, monkeypatch):
    kernels = fresh_kernels(monkeypatch, tmp_path)
    for dtype in DTYPES:
        assert scaled_by_three(kernels, dtype)
        for size in (5, jit.GRAIN):
            x = np.arange(size).astype(dtype)
            out = np.empty_like(x)
            kernels.square(x, out)
            assert np.array_equal(out, x * x)
    assert store.hits == 0
    assert store.misses == len(store.entries()) == 4 * len(DTYPES)  # scale, scaled and square both ways

    again = fresh_store(monkeypatch)
    kernels = fresh_kernels(monkeypatch, tmp_path)
    assert all(scaled_by_three(kernels, dtype) for dtype in DTYPES)
    kernels.square(x, out)
    assert np.array_equal(out, x * x)
    assert (again.hits, again.misses) == (len(DTYPES) + 1, 0)


def test_cache_info_and_clear(store, tmp_path, monkeypatch):
    kernels = fresh_kernels(monkeypatch, tmp_path)
    assert scaled_by_three(kernels)
    info = jit.cache_info()
    assert info.folder == tmp_path / "compiled" / f"kernels-{info.digest}"
    assert (info.why, info.mode, info.entries, info.misses) == ("AUTOGRAD_CNN_CACHE", "700", 2, 2)
    assert info.bytes == sum(path.stat().st_size for path in info.folder.iterdir())
    assert info.compile_seconds["some_kernels.scale"] > 0
    for name, changed in (("left-by-a-killed-process.tmp", 1), ("being-written.tmp", None)):
        (info.folder / name).touch()
        os.utime(info.folder / name, changed and (changed, changed))
    (tmp_path / "compiled" / "not-ours.txt").touch()
    assert jit.clear_cache() == 2
    assert sorted(path.name for path in (tmp_path / "compiled").rglob("*.*")) == [
        "being-written.tmp",
        "not-ours.txt",
    ]
    assert scaled_by_three(fresh_kernels(monkeypatch, tmp_path))
    assert jit.cache_info().entries == 2


def test_entries_unused_for_a_month_are_dropped_with_the_next_new_folder(store):
    old = store.root / "kernels-of-another-version"
    old.mkdir()
    for name in ("unused.nbc", "torn.tmp", "used.nbc"):
        (old / name).touch()
    for name in ("unused.nbc", "torn.tmp"):
        os.utime(old / name, (1, 1))
    store.save("new.nbc", b"code")
    assert os.listdir(old) == ["used.nbc"]


# What makes a kernel another kernel


def test_an_edit_of_any_source_is_a_miss(store, tmp_path, monkeypatch):
    assert scaled_by_three(fresh_kernels(monkeypatch, tmp_path))
    write_kernels(tmp_path, helper=HELPER.replace("SCALE = 3", "SCALE = 4"), changed=2)
    assert not scaled_by_three(fresh_kernels(monkeypatch, tmp_path))
    write_kernels(tmp_path, kernels=KERNELS.replace("SCALE * value", "SCALE * value - 1"), changed=3)
    assert not scaled_by_three(fresh_kernels(monkeypatch, tmp_path))
    write_kernels(tmp_path, changed=4)
    hits = store.hits
    assert scaled_by_three(fresh_kernels(monkeypatch, tmp_path))
    assert store.hits == hits + 1


def test_imports_inside_the_package_are_found():
    path = jit.__file__
    expected = {jit.__name__, cache.__name__, compile_log.__name__, fingerprint.__name__}
    _, imported = fingerprint._read_source(jit.__name__, path, os.stat(path).st_mtime)
    assert expected - {jit.__name__} <= imported


def test_a_source_edited_while_the_process_runs_is_not_cached(store, tmp_path, monkeypatch):
    kernels = fresh_kernels(monkeypatch, tmp_path)
    (tmp_path / "helper_of_the_kernels.py").write_text(HELPER.replace("SCALE = 3", "SCALE = 4"))
    assert scaled_by_three(kernels)  # what was imported, not what was written since
    assert store.entries() == []


@pytest.mark.parametrize(
    "setting", ["OPT", "BOUNDSCHECK", "LOOP_VECTORIZE", "SLP_VECTORIZE", "CPU_NAME", "CPU_FEATURES"]
)
def test_settings_that_shape_code_name_the_folder(setting, monkeypatch):
    before = fingerprint.settings_digest()
    monkeypatch.setattr(config, setting, "another")
    assert fingerprint.settings_digest() != before


@pytest.mark.parametrize("setting", ["NUMBA_NUM_THREADS", "THREADING_LAYER", "CACHE_DIR", "DEBUG_CACHE"])
def test_other_settings_do_not(setting, monkeypatch):
    before = fingerprint.settings_digest()
    monkeypatch.setattr(config, setting, "another")
    assert fingerprint.settings_digest() == before


def test_versions_name_the_folder(monkeypatch):
    before = fingerprint.settings_digest()
    monkeypatch.setattr(fingerprint.numba, "__version__", "0.0")
    assert fingerprint.settings_digest() != before


def test_options_are_part_of_an_entry(store, tmp_path, monkeypatch):
    assert scaled_by_three(fresh_kernels(monkeypatch, tmp_path))
    monkeypatch.setitem(jit.FLAGS, "fastmath", True)
    assert scaled_by_three(fresh_kernels(monkeypatch, tmp_path))
    assert (store.hits, len(store.entries())) == (0, 4)


# Torn, changed and foreign entries


def test_a_file_cut_at_any_byte_is_a_miss(store):
    content = bytes(range(256)) * 8
    store.save("kernel.nbc", content)
    path = store.folder / "kernel.nbc"
    whole = path.read_bytes()

    def cut_everywhere():
        for length in range(len(whole)):
            path.write_bytes(whole[:length])
            assert store.load("kernel.nbc") is None
            assert not path.exists()

    _, messages = caught_warnings(cut_everywhere)
    assert len(messages) == 1  # one a process, not one a file
    store.save("kernel.nbc", content)
    assert store.load("kernel.nbc") == content


def test_a_flipped_bit_anywhere_is_a_miss(store):
    store.save("kernel.nbc", bytes(range(256)) * 2)
    path = store.folder / "kernel.nbc"
    whole = path.read_bytes()

    def flip_everywhere():
        for position in range(8 * len(whole)):
            changed = bytearray(whole)
            changed[position // 8] ^= 1 << position % 8
            path.write_bytes(changed)
            assert store.load("kernel.nbc") is None

    caught_warnings(flip_everywhere)


@pytest.mark.parametrize("damage", ["cut", "flip", "not compiled code", "other kernel", "other users may write"])
def test_a_kernel_whose_entry_is_bad_is_compiled_anew(damage, store, tmp_path, monkeypatch):
    kernels = fresh_kernels(monkeypatch, tmp_path)
    assert scaled_by_three(kernels)
    kernels.shift(np.zeros(3, "float32"), np.empty(3, "float32"))
    (path,) = store.folder.glob("*.scale-*")
    (other,) = store.folder.glob("*.shift-*")
    good = path.read_bytes()
    if damage == "cut":
        path.write_bytes(good[: len(good) // 2])
    elif damage == "flip":
        path.write_bytes(good[:-100] + bytes([good[-100] ^ 1]) + good[-99:])
    elif damage == "not compiled code":
        store.save(path.name, cache.dumps("hello"))
    elif damage == "other kernel":
        shutil.copy(other, path)
    else:
        path.chmod(0o666)

    store = fresh_store(monkeypatch)
    kernels = fresh_kernels(monkeypatch, tmp_path)
    right, messages = caught_warnings(lambda: scaled_by_three(kernels))
    assert right
    assert len(messages) == (damage != "other kernel")  # a whole entry with another key: a miss like any other
    assert store.hits == 1  # the scalar function that `scale` calls
    assert path.exists()  # replaced
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store = fresh_store(monkeypatch)
    assert scaled_by_three(fresh_kernels(monkeypatch, tmp_path))
    assert (store.hits, store.misses) == (1, 0)
