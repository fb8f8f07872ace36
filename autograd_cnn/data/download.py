"""Finding the files of a data set: in a folder, in the cache, or by a download that is checked."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

from autograd_cnn.durable import atomic_file
from autograd_cnn.errors import DataError
from autograd_cnn.folders import user_cache

Progress = Callable[[str, int, int], object]

_CHUNK = 1 << 18
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class RemoteFile:
    """A file of a data set, its exact size and SHA-256, and the folders on the net that have it."""

    name: str
    size: int
    sha256: str
    folders: Sequence[str]


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follows no redirection away from https."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        _check_https(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_https(url: str) -> Any:
    """The response to a GET of an https address."""
    _check_https(url)
    return urllib.request.build_opener(_HttpsOnly).open(url, timeout=_TIMEOUT_SECONDS)


def cache_folder() -> Path | None:
    """Where downloads are kept: `autograd_cnn-data` in the user's cache folder; None where there is no home."""
    base = user_cache()
    return None if base is None else base / "autograd_cnn-data"


def search_folders(name: str, root: str | os.PathLike[str] | None) -> list[Path]:
    """Where the files of the data set `name` may lie: `root`, AUTOGRAD_CNN_DATA, the cache, in this order."""
    folders = []
    if root is not None:
        folders += [Path(root), Path(root, name)]
    if os.environ.get("AUTOGRAD_CNN_DATA"):
        folders.append(Path(os.environ["AUTOGRAD_CNN_DATA"], name))
    cache = cache_folder()
    return folders if cache is None else [*folders, cache / name]


def find_or_download(
    file: RemoteFile,
    name: str,
    root: str | os.PathLike[str] | None,
    *,
    download: bool,
    progress: Progress | None = None,
    open_url: Callable[[str], Any] = open_https,
) -> Path:
    """The path of a file of the data set `name`; it is downloaded to `root` or the cache if it is nowhere."""
    folders = search_folders(name, root)
    for folder in folders:
        if (folder / file.name).is_file():
            return folder / file.name
    if not download:
        places = ", ".join(map(str, folders))
        raise DataError(f"{name}: {file.name} is in none of {places}; download=True would fetch it")
    home = cache_folder() if root is None else Path(root)
    if home is None:
        raise DataError(f"{name}: there is no home folder to keep {file.name} in; give root=, the folder for it")
    target = home / name / file.name
    fetch(file, target, progress=progress, open_url=open_url)
    return target


def fetch(
    file: RemoteFile,
    target: Path,
    *,
    progress: Progress | None = None,
    open_url: Callable[[str], Any] = open_https,
) -> None:
    """Downloads a file to `target`, which is there in full, with the right SHA-256, or not at all.

    progress: called with the file's name, the bytes so far and the bytes in all.
    Errors: `DataError` that says of each address what went wrong there.
    """
    reasons = []
    for folder in file.folders:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _fetch_from(folder + file.name, file, target, progress, open_url)
            return
        except (OSError, URLError, http.client.HTTPException, DataError) as error:
            reasons.append(f"{folder}{file.name}: {error}")
    raise DataError(f"could not download {file.name} to {target}: " + "; ".join(reasons))


def _fetch_from(
    url: str, file: RemoteFile, target: Path, progress: Progress | None, open_url: Callable[[str], Any]
) -> None:
    digest = hashlib.sha256()
    size = 0
    with open_url(url) as response, atomic_file(target) as sink:
        while chunk := response.read(_CHUNK):
            size += len(chunk)
            if size > file.size:
                raise DataError(f"more than the {file.size} bytes of the real file")
            digest.update(chunk)
            sink.write(chunk)
            if progress is not None:
                progress(file.name, size, file.size)
        if size != file.size:
            raise DataError(f"ended after {size} of {file.size} bytes")
        if digest.hexdigest() != file.sha256:
            raise DataError(f"its SHA-256 is {digest.hexdigest()}, not {file.sha256}")


def _check_https(url: str) -> None:
    if not url.startswith("https://"):
        raise DataError(f"{url} is not an https address")
