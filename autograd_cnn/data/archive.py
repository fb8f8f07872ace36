"""Data sets of many files, which come as one archive: downloaded, unpacked and checked before they are there."""

from __future__ import annotations

import hashlib
import http.client
import os
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from autograd_cnn.data.download import Progress, cache_folder, open_https, search_folders
from autograd_cnn.durable import TEMPORARY_PREFIX
from autograd_cnn.errors import DataError

_CHUNK = 1 << 18


@dataclass(frozen=True)
class Archive:
    """A zip or tar.gz file on the net, and what is to be kept of it.

    kept: pattern of a path in the archive, the file's name here as `re` expands it, and how many bytes of it are
    wanted; None for all.
    sums: the SHA-256 of the list of the files' SHA-256, as `sha256sum` prints it for their names in order.  It stands
    for every byte that is kept, whatever the archive's own packing.
    most: more bytes than that, packed or unpacked, are not the real archive.
    """

    url: str
    kept: tuple[tuple[str, str, int | None], ...]
    sums: str
    most: int


def find_or_unpack(
    archive: Archive,
    name: str,
    marker: str,
    root: str | os.PathLike[str] | None,
    *,
    download: bool,
    progress: Progress | None = None,
    open_url: Callable[[str], Any] = open_https,
) -> Path:
    """The folder of the data set `name`, one that has the file `marker`; else it is unpacked to `root` or the cache."""
    folders = search_folders(name, root)
    for folder in folders:
        if (folder / marker).is_file():
            return folder
    if not download:
        places = ", ".join(map(str, folders))
        raise DataError(f"{name}: {marker} is in none of {places}; download=True would fetch it")
    home = cache_folder() if root is None else Path(root)
    if home is None:
        raise DataError(f"{name}: there is no home folder to keep it in; give root=, the folder for it")
    unpack(archive, home / name, progress=progress, open_url=open_url)
    if not (home / name / marker).is_file():
        raise DataError(f"{name}: the folder {home / name} is there without {marker}; move it away")
    return home / name


def unpack(
    archive: Archive,
    target: Path,
    *,
    progress: Progress | None = None,
    open_url: Callable[[str], Any] = open_https,
) -> None:
    """Downloads an archive and makes the folder `target` of it, which is there in full, and checked, or not at all.

    Errors: `DataError` that says what went wrong; the folder is not there then.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=TEMPORARY_PREFIX) as work:
            packed, folder = Path(work, "archive"), Path(work, "files")
            _download(archive, packed, progress, open_url)
            _extract(archive, packed, folder)
            found = hashlib.sha256(listed_sums(folder).encode()).hexdigest()
            if found != archive.sums:
                raise DataError(f"its files are not the real ones: their sums have the SHA-256 {found}")
            try:
                folder.rename(target)
            except OSError:
                if not target.is_dir():  # else another process was faster, with the same files
                    raise
    except (OSError, EOFError, http.client.HTTPException, zipfile.BadZipFile, tarfile.TarError, zlib.error) as error:
        raise DataError(f"{archive.url}: could not unpack to {target}: {error}") from error
    except DataError as error:
        raise DataError(f"{archive.url}: {error}") from error


def listed_sums(folder: Path) -> str:
    """What `sha256sum` prints for all files in a folder, in the order of their names."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return "".join(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names)


def _download(archive: Archive, packed: Path, progress: Progress | None, open_url: Callable[[str], Any]) -> None:
    size = 0
    with open_url(archive.url) as response, open(packed, "wb") as sink:
        while chunk := response.read(_CHUNK):
            size += len(chunk)
            if size > archive.most:
                raise DataError(f"more than {archive.most} bytes, which the real archive has not")
            sink.write(chunk)
            if progress is not None:
                progress(PurePosixPath(archive.url).name, size, archive.most)


def _extract(archive: Archive, packed: Path, folder: Path) -> None:
    """Writes the files that are kept; names come from our own patterns, and links are no files."""
    total = 0
    for path, stream in _members(packed):
        for pattern, name, wanted in archive.kept:
            match = re.fullmatch(pattern, path)
            if match is None:
                continue
            relative = PurePosixPath(match.expand(name))
            if relative.is_absolute() or ".." in relative.parts:
                raise DataError(f"{path} would be written outside of the folder")
            target = folder / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            limit = archive.most - total + 1 if wanted is None else wanted
            content = stream().read(limit)
            total += len(content)
            if total > archive.most:
                raise DataError(f"unpacks to more than {archive.most} bytes, which the real archive does not")
            target.write_bytes(content)


def _members(packed: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The regular files in an archive: the path of each, and what opens it."""
    if zipfile.is_zipfile(packed):
        with zipfile.ZipFile(packed) as zipped:
            for info in zipped.infolist():
                if not info.is_dir():
                    yield info.filename, lambda info=info: zipped.open(info)  # type: ignore[misc]
        return
    with tarfile.open(packed, "r:gz") as tarred:
        for member in tarred:
            if member.isreg():
                yield member.name, lambda member=member: tarred.extractfile(member)  # type: ignore[misc]
