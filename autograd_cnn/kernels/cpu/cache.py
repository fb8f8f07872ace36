"""The compile cache: machine code of kernels, kept on disk, safe where several processes share the folder.

Each compiled signature is one file named after its whole key, so there is no index to race for and nothing
to lock: a file appears by an atomic rename, whole or not at all, and of several writers the last wins, with
the same code.  It opens with the SHA-256 of its content; a torn or changed file is a miss.  Loading one runs
code, so the folder must be the user's alone.  Nothing that goes wrong here reaches the kernel's caller: the
kernel is compiled, and one warning says what happened.
"""

import contextlib
import hashlib
import os
import pickle  # noqa: TID251 - Numba's own form of compiled code, read only from the user's private folder
import re
import stat
import tempfile
import time
import warnings
from pathlib import Path

from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from autograd_cnn.durable import locked_folder
from autograd_cnn.folders import user_cache
from autograd_cnn.kernels.cpu.fingerprint import settings_digest, sources_digest

FORMAT = b"autograd_cnn kernel 1\n"
HEADER = len(FORMAT) + hashlib.sha256().digest_size
KEEP_DAYS = 30


class CompileCacheWarning(UserWarning):
    """The compile cache could not be used as it should; kernels work, but are compiled anew."""


class UnsafeFolderError(OSError):
    """Others could have written there, so no code is loaded from it."""


class CompileCache:
    """The folder of this process, chosen when the first kernel is compiled, and what happened in it."""

    def __init__(self, enabled: bool = True):
        self.enabled = enabled
        self.hits = 0
        self.misses = 0
        self._warned = set()
        self._choice = None

    @property
    def root(self) -> Path | None:
        """The user's cache folder, or None where no safe one can be had."""
        return self._choose()[0]

    @property
    def why(self) -> str:
        """The reason for the choice of `root`."""
        return self._choose()[1]

    @property
    def folder(self) -> Path | None:
        """The part of `root` for the kernels of these versions and settings."""
        return self.root and self.root / f"kernels-{settings_digest()}"

    def load(self, name: str) -> bytes | None:
        """The content of entry `name`, or None where there is none that can be used."""
        try:
            return _read(self.folder / name)
        except FileNotFoundError:
            return None
        except Exception as error:
            self.discard(name, error)
            return None

    def save(self, name: str, content: bytes) -> None:
        """Keep `content` as entry `name`."""
        folder = self.folder
        if not folder.exists():
            _make_private(self.root)
            folder.mkdir(mode=0o700, exist_ok=True)
            self._prune()
        with locked_folder(folder):
            _write(folder / name, content)

    def discard(self, name: str, error: Exception) -> None:
        """Delete entry `name`, which `error` says cannot be used."""
        path = self.folder / name
        with contextlib.suppress(OSError):
            path.unlink()
        self.warn("load", f"the compiled kernel {path} cannot be used and is compiled anew: {error!r}")

    def entries(self) -> list[Path]:
        """The files of all compiled kernels, those of other versions and settings included."""
        return self._files("nbc")

    def clear(self) -> int:
        """Delete all compiled kernels; return how many there were."""
        entries = self.entries()
        for path in entries:
            path.unlink(missing_ok=True)
        self._prune()
        for folder in {path.parent for path in entries} - {self.folder}:  # that one others may be writing to
            with contextlib.suppress(OSError):
                folder.rmdir()
        return len(entries)

    def warn(self, kind: str, message: str) -> None:
        """Warn about `kind` of trouble, once in a process."""
        if kind not in self._warned:
            self._warned.add(kind)
            warnings.warn(message, CompileCacheWarning, stacklevel=2)

    def _choose(self):
        if not self.enabled:
            return None, "AUTOGRAD_CNN_CHECK_BOUNDS is set"
        if self._choice is None:
            self._choice = None, "no folder was both private and writable"
            for path, why in _candidates():
                try:
                    _make_private(path)
                except OSError as error:
                    # That a home is not there or not writable is usual on servers, and no cause for alarm.
                    if isinstance(error, UnsafeFolderError) or why == "AUTOGRAD_CNN_CACHE":
                        self.warn("folder", f"compiled kernels are not kept in {path}: {error}")
                else:
                    self._choice = path, why
                    break
        return self._choice

    def _files(self, ending):
        return [] if self.root is None else sorted(self.root.glob(f"kernels-*/*.{ending}"))

    def _prune(self):
        """Drop kernels that nobody has loaded for a month, and what killed processes left unfinished."""
        for ending, days in (("nbc", KEEP_DAYS), ("tmp", 1)):
            for path in self._files(ending):
                with contextlib.suppress(OSError):
                    if time.time() - path.stat().st_mtime > days * 86400:
                        path.unlink()


class KernelCache(_Cache):
    """Numba's view of the compile cache: the signatures of one kernel."""

    def __init__(self, store, function, options):
        self._store = store
        self._function = function
        self._options = options

    @property
    def cache_path(self):
        return self._store.folder

    def load_overload(self, sig, target_context):
        target_context.refresh()
        key = self._key(sig, target_context.codegen())
        compiled = key and self._load(key, target_context)
        if compiled is None:
            self._store.misses += 1
        else:
            self._store.hits += 1
        return compiled

    def save_overload(self, sig, data):
        key = self._key(sig, data.codegen)
        if key is None:
            return
        kernel = self._function.__qualname__
        if data.library.has_dynamic_globals or any(not code.can_cache for code in data.lifted):
            self._store.warn("dynamic", f"the compiled {kernel} contains addresses and cannot be kept")
            return
        try:
            self._store.save(_entry_name(key), dumps((key, data._reduce())))
        except Exception as error:
            self._store.warn("save", f"the compiled {kernel} cannot be kept in {self._store.folder}: {error!r}")

    def flush(self):
        """Numba calls this to compile anew; each save replaces its entry, so there is nothing to forget."""

    def enable(self):
        self._store.enabled = True

    def disable(self):
        self._store.enabled = False

    def _load(self, key, target_context):
        name = _entry_name(key)
        content = self._store.load(name)
        if content is None:
            return None
        try:
            stored, reduced = pickle.loads(content)  # noqa: S301 - see the import
            # Types whose names hold an address can share a name without being the same.
            return CompileResult._rebuild(target_context, *reduced) if stored == key else None
        except Exception as error:
            self._store.discard(name, error)
            return None

    def _key(self, sig, codegen):
        """What this signature's code depends on besides `settings_digest`, or None where it is not kept."""
        function = self._function
        if self._store.root is None or function.__closure__:
            return None
        sources = sources_digest(function.__module__, function.__code__.co_filename)
        if sources is None:
            return None
        place = function.__module__, function.__qualname__, function.__code__.co_firstlineno
        bytecode = hashlib.sha256(function.__code__.co_code).hexdigest()
        return place, sig, codegen.magic_tuple(), repr(sorted(self._options.items())), bytecode, sources


def _entry_name(key):
    (module, qualname, _), *_ = key
    readable = re.sub(r"[^\w.]", "_", f"{module.rpartition('.')[2]}.{qualname}")[:100]
    return f"{readable}-{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}.nbc"


def _candidates():
    """Folders for the cache, the best first, each with the reason for it."""
    named = os.environ.get("AUTOGRAD_CNN_CACHE")
    if named:
        yield Path(os.path.abspath(os.path.expanduser(named))), "AUTOGRAD_CNN_CACHE"
    base = user_cache()
    if base is not None and _is_own(base):
        yield base / "autograd_cnn", "the user's cache folder"
    with contextlib.suppress(FileNotFoundError):  # no folder for temporary files either
        owner = f"-{os.geteuid()}" if hasattr(os, "geteuid") else ""
        yield Path(tempfile.gettempdir(), f"autograd_cnn{owner}"), "the folder for temporary files"


def _is_own(path):
    """Whether the folder, or what it would lie in, is the user's: under `sudo` the home may be another's."""
    existing = next(folder for folder in (path, *path.parents) if os.path.exists(folder))
    return not hasattr(os, "geteuid") or os.stat(existing).st_uid == os.geteuid()


def _make_private(path):
    """Make the folder, or see that the one there belongs to the user alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeFolderError(f"it is not a folder but {stat.filemode(found.st_mode)}")
    if not hasattr(os, "geteuid"):
        return
    if found.st_uid != os.geteuid():
        raise UnsafeFolderError(f"it belongs to user {found.st_uid}, not to user {os.geteuid()}")
    if mode & 0o077:
        raise UnsafeFolderError(f"its mode is {mode:o}, not 700, so that other users can reach it")


def _read(path):
    with open(path, "rb") as file:
        found = os.fstat(file.fileno())
        if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
            raise UnsafeFolderError("other users could have written it")
        content = file.read()
    if content[:HEADER] != _header(content[HEADER:]):
        raise ValueError("its content is not what its digest says")
    if time.time() - found.st_mtime > 86400:  # in use: see _prune
        with contextlib.suppress(OSError):
            os.utime(path)
    return content[HEADER:]


def _write(path, content):
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_header(content) + content)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _header(content):
    return FORMAT + hashlib.sha256(content).digest()
