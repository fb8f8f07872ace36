"""The compile cache under everything that can go wrong with files, folders and processes that share them."""

import errno
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import textwrap
import warnings

import numpy as np
import pytest
from numba.core import config

from autograd_cnn.kernels.cpu import cache, compile_log, fingerprint, jit

pytestmark = pytest.mark.skipif(jit.CHECK_BOUNDS, reason="kernels are not cached while bounds are checked")

KERNELS = """
from numba import prange
from autograd_cnn.kernels.cpu.jit import adaptive, inline, serial
from helper_of_the_kernels import SCALE, shifted

@inline
def scaled(value):
    return SCALE * value

@serial
def scale(x, out):
    for i in range(out.size):
        out[i] = scaled(x[i])

@serial
def shift(x, out):
    for i in range(out.size):
        out[i] = shifted(x[i])

@adaptive
def square(x, out):
    for i in prange(out.size):
        out[i] = x[i] * x[i]

@adaptive
def one_too_far(x, out):
    for i in prange(out.size):
        out[i] = x[i + 1]
"""
HELPER = """
from autograd_cnn.kernels.cpu.jit import inline

SCALE = 3

@inline
def shifted(value):
    return value + 1
"""
DTYPES = ("int16", "int32", "int64", "float32", "float64")


def write_kernels(folder, kernels=KERNELS, helper=HELPER, changed=1):
    """Both modules on disk, last changed before this process began: later ones are not cached."""
    for name, source in (("some_kernels", kernels), ("helper_of_the_kernels", helper)):
        path = folder / f"{name}.py"
        path.write_text(source)
        os.utime(path, (changed, changed))


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A cache of its own in place of that of the test run, with the modules of kernels beside it."""
    monkeypatch.setenv("AUTOGRAD_CNN_CACHE", str(tmp_path / "compiled"))
    monkeypatch.syspath_prepend(str(tmp_path))
    write_kernels(tmp_path)
    return fresh_store(monkeypatch)


def fresh_store(monkeypatch):
    """What a new process would have: nothing chosen, nothing counted, no warning given."""
    store = cache.CompileCache()
    monkeypatch.setattr(jit, "_CACHE", store)
    monkeypatch.setattr(jit._LOG, "_cache", store)
    return store


def fresh_kernels(monkeypatch, folder):
    """The modules of kernels as a new process would import them."""
    for name in ("helper_of_the_kernels", "some_kernels"):
        spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
    return module


def scaled_by_three(kernels, dtype="float32"):
    x = np.arange(5).astype(dtype)
    out = np.empty_like(x)
    kernels.scale(x, out)
    return np.array_equal(out, 3 * x)


def caught_warnings(action):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = action()
    assert all(warning.category is cache.CompileCacheWarning for warning in caught)
    return result, [str(warning.message) for warning in caught]


def run_python(source, folder, **environment):
    environment = {"PYTHONPATH": str(folder), "AUTOGRAD_CNN_CACHE": str(folder / "compiled")} | environment
    environment = {name: value for name, value in (os.environ | environment).items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


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


@pytest.mark.parametrize(
    "damage", ["cut", "flip", "not compiled code", "other kernel", "other users may write"]
)
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
    assert len(messages) == (
        damage != "other kernel"
    )  # a whole entry with another key: a miss like any other
    assert store.hits == 1  # the scalar function that `scale` calls
    assert path.exists()  # replaced
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store = fresh_store(monkeypatch)
    assert scaled_by_three(fresh_kernels(monkeypatch, tmp_path))
    assert (store.hits, store.misses) == (1, 0)


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
    right, messages = caught_warnings(
        lambda: scaled_by_three(kernels, "int8") and scaled_by_three(kernels, "int16")
    )
    assert right
    assert len(messages) == 1
    assert os.strerror(code) in messages[0]
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


@pytest.fixture
def tiny_disk(tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k,mode=700", "tmpfs", str(place)]
    if (
        not sys.platform.startswith("linux")
        or os.geteuid()
        or subprocess.run(mount, capture_output=True).returncode
    ):
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


# Telling the user


def test_the_notice_is_printed_once_and_while_compiling(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(jit._LOG, "_noticed", False)
    monkeypatch.setattr(compile_log, "NOTICE_SECONDS", jit._LOG.total_seconds + 0.01)
    kernels = fresh_kernels(monkeypatch, tmp_path)
    assert scaled_by_three(kernels, "float32")
    printed = capsys.readouterr()
    folder = re.escape(str(store.folder))
    assert re.fullmatch(
        f"autograd_cnn: compiling kernels for this machine, once; kept in {folder}\n", printed.err
    )
    assert scaled_by_three(kernels, "float64")
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")


def test_a_listener_hears_of_kernels_and_takes_the_notice_over(store, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(jit._LOG, "_noticed", False)
    monkeypatch.setattr(compile_log, "NOTICE_SECONDS", 0.0)
    heard = []
    stop = jit.on_compile(heard.append)
    kernels = fresh_kernels(monkeypatch, tmp_path)
    assert scaled_by_three(kernels)
    stop()
    started, ended = heard  # not of the function that the kernel calls, nor of Numba's own
    assert started.kernel == ended.kernel == "some_kernels.scale"
    assert started.seconds is None
    assert 0 < ended.seconds <= ended.total_seconds
    assert capsys.readouterr().err == ""


def test_import_compiles_nothing_and_touches_no_folder(tmp_path):
    source = """
        import importlib, pkgutil
        from numba.core import event
        with event.install_recorder("numba:compile") as recorder:
            import autograd_cnn.kernels.cpu as cpu
            for module in pkgutil.iter_modules(cpu.__path__):
                importlib.import_module(f"{cpu.__name__}.{module.name}")
        print(len(recorder.buffer))
    """
    result = run_python(source, tmp_path)
    assert (result.returncode, result.stdout) == (0, "0\n"), result.stderr
    assert not (tmp_path / "compiled").exists()


# Processes that share a folder

WITHOUT_COMPILING = """
    import random, sys, warnings
    warnings.simplefilter("error")
    from autograd_cnn.kernels.cpu.cache import CompileCache

    process, processes, rounds = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    random.seed(process)
    store = CompileCache()
    content = {f"{i}.nbc": bytes([i]) * (50_000 + i) for i in range(5)}
    for turn in range(rounds):
        for name in random.sample(list(content), 5):
            assert store.load(name) in (None, content[name])
            store.save(name, content[name])
            assert store.load(name) in (None, content[name])
        if process == turn % processes:
            store.clear()
"""
COMPILING = """
    import os, sys, time, warnings
    warnings.simplefilter("error")
    import numpy as np
    from autograd_cnn.kernels.cpu import jit
    from autograd_cnn.kernels.cpu.cache import CompileCache

    process, processes, rounds = (int(argument) for argument in sys.argv[1:])
    for turn in range(rounds):
        os.environ["AUTOGRAD_CNN_CACHE"] = f"round-{turn}"
        jit._CACHE = CompileCache()
        sys.modules.pop("some_kernels", None)
        sys.modules.pop("helper_of_the_kernels", None)
        import some_kernels
        open(f"ready-{turn}-{process}", "w").close()
        while not all(os.path.exists(f"ready-{turn}-{other}") for other in range(processes)):
            time.sleep(0.002)
        for dtype in ("int16", "int32", "int64", "float32", "float64"):
            x = np.arange(7).astype(dtype)
            out = np.empty_like(x)
            some_kernels.scale(x, out)
            assert np.array_equal(out, 3 * x), (turn, dtype, out)
"""


@pytest.mark.parametrize(("source", "rounds"), [(WITHOUT_COMPILING, 50), (COMPILING, 3)])
def test_eight_processes_on_a_cold_cache(source, rounds, store, tmp_path, monkeypatch):
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-c", textwrap.dedent(source)]
    processes = [
        subprocess.Popen(
            [*command, str(i), "8", str(rounds)], env=environment, cwd=tmp_path, stderr=subprocess.PIPE
        )
        for i in range(8)
    ]
    errors = [process.communicate(timeout=120)[1].decode() for process in processes]
    assert [process.returncode for process in processes] == 8 * [0], "".join(errors)
    assert list(tmp_path.rglob("*.tmp")) == []
    for folder in tmp_path.glob("round-*"):
        monkeypatch.setenv("AUTOGRAD_CNN_CACHE", str(folder))
        store = fresh_store(monkeypatch)
        kernels = fresh_kernels(monkeypatch, tmp_path)
        assert all(scaled_by_three(kernels, dtype) for dtype in DTYPES)
        assert (store.hits, store.misses, len(store.entries())) == (5, 0, 10)


# Bounds checks


def test_bounds_mode_catches_an_index_one_too_far(tmp_path):
    write_kernels(tmp_path)
    source = """
        import numpy as np
        import some_kernels
        from autograd_cnn.kernels.cpu import jit
        for size in (7, 2 * jit.GRAIN):
            x = np.arange(size, dtype="float32")
            some_kernels.square(x, np.empty_like(x))
            try:
                some_kernels.one_too_far(x, np.empty_like(x))
            except IndexError:
                print("caught")
        print(jit.cache_info().why)
    """
    result = run_python(source, tmp_path, AUTOGRAD_CNN_CHECK_BOUNDS="1")
    assert result.stdout.split("\n") == ["caught", "caught", "AUTOGRAD_CNN_CHECK_BOUNDS is set", ""], (
        result.stderr
    )
    assert not (tmp_path / "compiled").exists()
