"""Files that are there in full or not at all: after a crash, a full disk or a power cut a reader meets the
old content or the new, never a mixture."""

from __future__ import annotations

import errno
import io
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows has no flock; there a second writer is kept out by the file system itself
    fcntl = None  # type: ignore[assignment]

Buffer = bytes | bytearray | memoryview

TEMPORARY_PREFIX = ".tmp-"

# Flags that some systems lack.  No-follow refuses a symbolic link; non-blocking keeps a named pipe from
# hanging the reader.
_BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_READ_ONLY = os.O_RDONLY | _BINARY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY | _NO_FOLLOW


def temporary_name(name: str) -> str:
    """A fresh name for what will become `name`; its prefix tells a crash's leftovers from good files."""
    return f"{TEMPORARY_PREFIX}{name}-{secrets.token_hex(4)}"


def sync_folder(folder: str | os.PathLike[str]) -> None:
    """Makes the names in `folder` (new files, renames) survive a power cut; Windows has no such call."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _BINARY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that keeps no such promise
            raise
    finally:
        os.close(descriptor)


@contextmanager
def locked_folder(folder: str | os.PathLike[str]) -> Iterator[bool]:
    """Lets one process at a time write in `folder`; yields whether the lock is held.

    The lock goes with the process that holds it, so a crash leaves none behind.  Where the file system has no
    locks (some network mounts, Windows) the body runs all the same and is told so.
    """
    if fcntl is None:
        yield False
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _BINARY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            held = True
        except OSError:
            held = False
        yield held
    finally:
        os.close(descriptor)


class Sink:
    """A file to write to that takes all it is given, and whose errors say how much that was."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self.descriptor, self.path, self.written = descriptor, path, 0

    def write(self, data: Buffer) -> int:
        """Writes all of `data`, however often the system takes only a part of it."""
        view = memoryview(data).cast("B")
        done = 0
        while done < len(view):
            try:
                count = os.write(self.descriptor, view[done:])
            except OSError as error:
                raise OSError(
                    error.errno,
                    f"{error.strerror} while writing {len(view)} bytes at offset {self.written}",
                    str(self.path),
                ) from error
            if count == 0:
                raise OSError(errno.EIO, "the system took no bytes", str(self.path))
            done += count
            self.written += count
        return done


def write_new_file(path: str | os.PathLike[str], *chunks: Buffer) -> None:
    """Writes a file that must not exist yet and waits until the disk has it; its mode follows the umask."""
    with _new_file(Path(path)) as sink:
        for chunk in chunks:
            sink.write(chunk)


@contextmanager
def _new_file(path: Path) -> Iterator[Sink]:
    descriptor = os.open(path, _CREATE, 0o666)
    try:
        yield Sink(descriptor, path)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[Sink]:
    """A binary file to write to, which takes the name `path` only when the block has ended without an error.

    It is written under a temporary name in the same folder, flushed to the disk, renamed, and the folder is
    flushed too.  What an earlier crash left for the same `path` is removed.  Errors: `OSError`, with path.
    """
    path = Path(path)
    with locked_folder(path.parent) as held:
        if held:  # so nobody is writing, and what lies here is left over
            for leftover in path.parent.glob(f"{TEMPORARY_PREFIX}{_literal(path.name)}-????????"):
                leftover.unlink(missing_ok=True)
        temporary = path.parent / temporary_name(path.name)
        try:
            with _new_file(temporary) as sink:
                yield sink
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def atomic_write(path: str | os.PathLike[str], *content: Buffer | Callable[[BinaryIO], object]) -> None:
    """Replaces the file `path` by `content`, in full or not at all; its mode follows the umask.

    Each part of `content` is bytes, or a function that writes to the binary stream it is given (as
    Matplotlib's `savefig` does).  Errors: `OSError` with the path and the bytes; the old file then stays.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "note.txt")
    ...     atomic_write(path, b"first, ", lambda stream: stream.write(b"second"))
    ...     path.read_text()
    'first, second'
    """
    with atomic_file(path) as sink:
        for part in content:
            if callable(part):
                stream = io.BytesIO()  # writers may seek back, a file under way may not
                part(stream)
                part = stream.getbuffer()
            sink.write(part)


def read_file(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a regular file.  Errors: `OSError` if it is missing, a symbolic link, folder or device."""
    descriptor = os.open(path, _READ_ONLY)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(status.st_size + 1)  # a file that grows meanwhile is not read on
    finally:
        os.close(descriptor)


def _literal(name: str) -> str:
    """`name` as a glob pattern that matches itself alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
