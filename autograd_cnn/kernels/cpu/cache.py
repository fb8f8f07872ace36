"""The compile cache: machine code of kernels, kept on disk, safe where several processes share the folder.

Each compiled signature is one file named after its whole key, so there is no index to race for: a file appears
by an atomic rename, whole or not at all, and of several writers the last wins, with the same code.  It opens with
the SHA-256 of its content; a torn or changed file is a miss.  Loading one runs code, so the folder must be the
user's alone.  Nothing that goes wrong here reaches the kernel's caller: the kernel is compiled, and one warning
says what happened.
"""

import ast
import contextlib
import hashlib
import importlib.util
import os
import pickle  # noqa: TID251 - Numba's own form for compiled code, read only from a folder that is the user's alone
import platform
import re
import stat
import sys
import sysconfig
import tempfile
import time
import warnings
from functools import cache
from pathlib import Path

import llvmlite
import numba
import numpy
from numba.core import config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

FORMAT = b"autograd_cnn kernel 1\n"
DIGEST = hashlib.sha256().digest_size
KEEP_SECONDS = 30 * 24 * 3600
_STARTED = time.time()
# Settings of Numba that leave the machine code as it is; all others are part of the folder's name.
_NO_CODEGEN = re.compile("CUDA|CACHE|THREAD|DUMP|TRACE|WARN|COLOR|HELP|GDB|HTML|PROFILER|TIMINGS|DIAGNOSTICS")
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})


class CompileCacheWarning(UserWarning):
    """The compile cache could not be used as it should; kernels work, but are compiled anew."""


class UnsafeFolderError(OSError):
    """Others could have written to the folder, so no code is loaded from it."""


class CompileCache:
    """The folder of this process, chosen when the first kernel is compiled, and what happened in it."""

    def __init__(self):
        self.enabled = True
        self.hits = 0
        self.misses = 0
        self._warned = set()
        self._choice = None

    @property
    def root(self):
        """The user's cache folder, or None where no safe one can be had."""
        return self._choose()[0]

    @property
    def why(self):
        """Where the choice of `root` comes from."""
        return self._choose()[1]

    @property
    def folder(self):
        """The folder of the kernels compiled by these versions under these settings, or None."""
        return self.root and self.root / f"kernels-{settings_digest()}"

    def load(self, name):
        """The content of entry `name`, or None."""
        if self.folder is None:
            return None
        path = self.folder / name
        try:
            return _read(path)
        except FileNotFoundError:
            return None
        except Exception as error:
            self.discard(name, error)
            return None

    def save(self, name, payload):
        """Keep `payload` as entry `name`."""
        if self.folder is None:
            return
        try:
            if not self.folder.exists():
                self.folder.mkdir(mode=0o700, exist_ok=True)
                self._prune()
            _write(self.folder / name, payload)
        except OSError as error:
            self.warn("save", f"compiled kernels cannot be kept in {self.folder}: {error}")

    def discard(self, name, error):
        """Delete entry `name`, which `error` says cannot be used."""
        path = self.folder / name
        with contextlib.suppress(OSError):
            path.unlink()
        self.warn("load", f"the compiled kernel {path} was unusable and is compiled anew: {error!r}")

    def entries(self):
        """The files of every compiled kernel, those of other versions and settings included."""
        return [] if self.root is None else sorted(self.root.glob("kernels-*/*.nbc"))

    def clear(self):
        """Delete every compiled kernel and what interrupted processes left; return how many there were."""
        entries = self.entries()
        leftovers = [] if self.root is None else self.root.glob("kernels-*/*.tmp")
        for path in [*entries, *leftovers]:
            path.unlink(missing_ok=True)
        for folder in {path.parent for path in entries}:
            with contextlib.suppress(OSError):
                folder.rmdir()
        return len(entries)

    def warn(self, kind, message):
        """Warn once in a process about each `kind` of trouble."""
        if kind not in self._warned:
            self._warned.add(kind)
            warnings.warn(message, CompileCacheWarning, stacklevel=2)

    def _choose(self):
        if not self.enabled:
            return None, "AUTOGRAD_CNN_CHECK_BOUNDS is set"
        if self._choice is None:
            self._choice = None, "no folder was safe and writable"
            for path, why in _candidates():
                try:
                    _make_private(path)
                except OSError as error:
                    if isinstance(error, UnsafeFolderError) or why == "AUTOGRAD_CNN_CACHE":
                        self.warn("folder", f"compiled kernels are not kept in {path}: {error}")
                else:
                    self._choice = path, why
                    break
        return self._choice

    def _prune(self):
        """Drop what no process has loaded for a month: other versions leave their kernels behind."""
        limit = time.time() - KEEP_SECONDS
        for path in [*self.entries(), *self.root.glob("kernels-*/*.tmp")]:
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < limit:
                    path.unlink()


class KernelCache(_Cache):
    """What Numba asks for compiled code of one kernel."""

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
        if key is None:
            return None
        name = self._name(key)
        payload = self._store.load(name)
        if payload is not None:
            try:
                stored, reduced = pickle.loads(payload)  # noqa: S301 - see the import
                if stored == key:
                    compiled = CompileResult._rebuild(target_context, *reduced)
                    self._store.hits += 1
                    return compiled
            except Exception as error:
                self._store.discard(name, error)
        self._store.misses += 1
        return None

    def save_overload(self, sig, data):
        key = self._key(sig, data.codegen)
        if key is None:
            return
        if data.library.has_dynamic_globals or any(not code.can_cache for code in data.lifted):
            self._store.warn(
                "dynamic", f"{self._function.__qualname__} depends on addresses and cannot be kept"
            )
            return
        self._store.save(self._name(key), dumps((key, data._reduce())))

    def flush(self):
        """Nothing to forget: Numba calls this to compile anew, and each save replaces the entry."""

    def enable(self):
        self._store.enabled = True

    def disable(self):
        self._store.enabled = False

    def _key(self, sig, codegen):
        if self._store.root is None or self._function.__closure__:
            return None
        code = self._function.__code__
        sources = sources_digest(self._function.__module__, code.co_filename)
        if sources is None:
            return None
        bytecode = hashlib.sha256(code.co_code).hexdigest()
        options = repr(sorted(self._options.items()))
        place = self._function.__module__, self._function.__qualname__, code.co_firstlineno
        return place, sig, codegen.magic_tuple(), options, bytecode, sources

    def _name(self, key):
        readable = re.sub(r"[^\w.]", "_", f"{key[0][0].rpartition('.')[2]}.{key[0][1]}")[:100]
        return f"{readable}-{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}.nbc"


def settings_digest():
    """Digest of all that shapes machine code besides the sources: versions and Numba's settings."""
    versions = numba.__version__, llvmlite.__version__, numpy.__version__, sys.version, platform.machine()
    settings = {name: repr(value) for name, value in vars(config).items() if name.isupper()}
    relevant = sorted(item for item in settings.items() if not _NO_CODEGEN.search(item[0]))
    return hashlib.sha256(repr((FORMAT, versions, relevant)).encode()).hexdigest()[:16]


def sources_digest(module, path):
    """Digest of the file at `path` and of all it imports from its own package, or None where no file tells.

    A kernel contains the code of the functions it calls, so an edit of any of those files must change its key.
    A file edited after this process began may not be what runs here, so its kernels are not kept.
    """
    family = {module.partition(".")[0], __name__.partition(".")[0]}
    digests, waiting = {}, [(module, path)]
    while waiting:
        module, path = waiting.pop()
        if path in digests:
            continue
        try:
            changed = os.stat(path).st_mtime
            digests[path], imported = _read_source(module, path, changed)
        except (OSError, SyntaxError, ValueError):
            return None
        if changed > _STARTED:
            return None
        for name in imported & sys.modules.keys():
            file = getattr(sys.modules[name], "__file__", None) or ""
            own = name.partition(".")[0] in family or not file.startswith(_INSTALLED)
            if file.endswith(".py") and own:
                waiting.append((name, file))
    return hashlib.sha256("".join(sorted(digests.values())).encode()).hexdigest()


@cache
def _read_source(module, path, changed):
    """Digest of one file and the modules it may import; `changed` keys the memory of earlier reads."""
    source = Path(path).read_bytes()
    package = getattr(sys.modules.get(module), "__package__", None) or ""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
            names.update(alias.name.partition(".")[0] for alias in node.names if alias.asname is None)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            parts = {f"{base}.{alias.name}" for alias in node.names}
            names |= parts if parts <= sys.modules.keys() else parts | {base}
    return hashlib.sha256(source).hexdigest(), frozenset(names)


def _candidates():
    named = os.environ.get("AUTOGRAD_CNN_CACHE")
    if named:
        yield Path(named).expanduser().absolute(), "AUTOGRAD_CNN_CACHE"
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    if os.path.isabs(base):  # "~" stays where there is no home
        yield Path(base, "autograd_cnn"), "the user's cache folder"
    owner = f"-{os.geteuid()}" if hasattr(os, "geteuid") else ""
    yield Path(tempfile.gettempdir(), f"autograd_cnn{owner}").absolute(), "the folder for temporary files"


def _make_private(path):
    """Make the folder, or see that the one there belongs to the user alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeFolderError(f"it is not a folder but {stat.filemode(found.st_mode)}")
    if not hasattr(os, "geteuid"):
        return
    if found.st_uid != os.geteuid():
        raise UnsafeFolderError(f"it belongs to user {found.st_uid}, not to user {os.geteuid()}")
    if stat.S_IMODE(found.st_mode) & 0o077:
        raise UnsafeFolderError(
            f"its mode is {stat.S_IMODE(found.st_mode):o}, not 700: other users can reach it"
        )


def _read(path):
    with open(path, "rb") as file:
        found = os.fstat(file.fileno())
        if hasattr(os, "geteuid") and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
            raise UnsafeFolderError("other users could have written it")
        content = file.read()
    header, digest, payload = (
        content[: len(FORMAT)],
        content[len(FORMAT) :][:DIGEST],
        content[len(FORMAT) + DIGEST :],
    )
    if header != FORMAT or hashlib.sha256(payload).digest() != digest:
        raise ValueError("its content is not what its digest says")
    if time.time() - found.st_mtime > KEEP_SECONDS / 30:
        with contextlib.suppress(OSError):
            os.utime(path)
    return payload


def _write(path, payload):
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name[:100], suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(FORMAT + hashlib.sha256(payload).digest() + payload)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
