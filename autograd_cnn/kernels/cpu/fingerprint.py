"""What a compiled kernel depends on, as digests: versions and settings, and the sources it was made from."""

import ast
import hashlib
import importlib.util
import os
import platform
import re
import sys
import sysconfig
import time
from functools import cache
from pathlib import Path

import llvmlite
import numba
import numpy
from numba.core import config

# Settings of Numba that leave the machine code as it is; all others count.
_NO_CODEGEN = re.compile("CUDA|CACHE|THREAD|DUMP|TRACE|WARN|COLOR|HELP|GDB|HTML|PROFILER|TIMINGS|DIAGNOSTICS")
_INSTALLED = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_STARTED = time.time()


def settings_digest() -> str:
    """Digest of all that shapes machine code besides the sources: versions and Numba's settings.

    >>> len(settings_digest())
    16
    """
    versions = numba.__version__, llvmlite.__version__, numpy.__version__, sys.version, platform.machine()
    settings = {name: repr(value) for name, value in vars(config).items() if name.isupper()}
    relevant = sorted(item for item in settings.items() if not _NO_CODEGEN.search(item[0]))
    return hashlib.sha256(repr((versions, relevant)).encode()).hexdigest()[:16]


def sources_digest(module: str, path: str) -> str | None:
    """Digest of the file at `path` and of what it imports, installed libraries apart; None if unknown.

    A kernel contains the code of the functions it calls and the values of the constants it names, so an edit
    of any file they come from must change the digest.  Unknown is code without a file, as in notebooks, and a
    file changed after this process began: what runs here may be older than what the file says.

    >>> sources_digest("nowhere", "<stdin>") is None
    True
    """
    digests, waiting = {}, [(module, path)]
    family = {module.partition(".")[0], __name__.partition(".")[0]}
    while waiting:
        module, path = waiting.pop()
        if path in digests:
            continue
        try:
            changed = os.stat(path).st_mtime
            digests[path], imported = _read_source(module, path, changed)
        except (OSError, SyntaxError, ValueError, ImportError):
            return None
        if changed > _STARTED:
            return None
        for name in imported & sys.modules.keys():
            file = getattr(sys.modules[name], "__file__", None) or ""
            ours = name.partition(".")[0] in family or not file.startswith(_INSTALLED)
            if file.endswith(".py") and ours:
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
