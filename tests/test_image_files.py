"""IDX files and downloads: what is torn, altered, foreign or too large is an error that names the file."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_cnn.data import MNIST, DataLoader, FashionMNIST
from autograd_cnn.data.download import (
    RemoteFile,
    _HttpsOnly,
    cache_folder,
    fetch,
    find_or_download,
    open_https,
)
from autograd_cnn.data.idx import read_idx
from autograd_cnn.errors import DataError

VALUES = np.arange(24, dtype=np.uint8).reshape(4, 3, 2)
PLAIN = b"\0\0\x08\x03" + struct.pack(">3I", 4, 3, 2) + VALUES.tobytes()
ZIPPED = gzip.compress(PLAIN, mtime=0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "images-idx3-ubyte"


@pytest.mark.parametrize("content", [PLAIN, ZIPPED], ids=["plain", "gzip"])
def test_reads(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    np.testing.assert_array_equal(read_idx(path), VALUES)
    read_idx(path)[0] = 1


@pytest.mark.parametrize(("code", "dtype"), [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")])
def test_dtypes(path: Path, code: int, dtype: str) -> None:
    values = np.array([1, 2, 100], dtype)
    path.write_bytes(bytes([0, 0, code, 1, 0, 0, 0, 3]) + values.astype(values.dtype.newbyteorder(">")).tobytes())
    found = read_idx(path)
    assert found.dtype == np.dtype(dtype)
    assert found.tolist() == values.tolist()


@pytest.mark.parametrize("content", [PLAIN, ZIPPED], ids=["plain", "gzip"])
def test_every_truncation_and_growth(path: Path, content: bytes) -> None:
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"images-idx3-ubyte: .*(torn|not an IDX)"):
            read_idx(path)
    for tail in (b"\x07" * 9, content):  # after gzip data, zeros are allowed as padding and not read
        path.write_bytes(content + tail)
        with pytest.raises(DataError, match=r"images-idx3-ubyte: .*(more bytes follow|gzip data)"):
            read_idx(path)


def test_no_flipped_bit_of_a_gzip_file_changes_a_value(path: Path) -> None:
    for at in range(len(ZIPPED)):
        for bit in range(8):
            data = bytearray(ZIPPED)
            data[at] ^= 1 << bit
            path.write_bytes(data)
            with suppress(DataError):
                assert read_idx(path).tobytes() == VALUES.tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "magic number take 4 bytes, 0 are there"),
        (b"\0\0\x07\x01\0\0\0\0", "not an IDX file: it begins with 00 00 07 01"),
        (b"\1\0\x08\x01\0\0\0\0", "01 00 08 01"),
        (b"\0\0\x08\0", "00 00 08 00"),
        (b"PK\3\4 and so on", "50 4b 03 04"),
        (b"version https://git-lfs.github.com/spec/v1", "76 65 72 73"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "more than the file can hold"),
        (gzip.compress(b"\0\0\x08\x03" + b"\xff" * 12, mtime=0), "more than the file can hold"),
        (
            gzip.compress(b"\0\0\x08\x01\0\0\0\x09" + b"\0" * 5, mtime=0),
            r"\(9,\) values of uint8 take 9 bytes, 5 are there",
        ),
        (b"\0\0\x0e\xff" + b"\xff" * 1020, "more than the file can hold"),
        (b"\x1f\x8b\x08\0 no gzip", "gzip data is torn or damaged"),
    ],
)
def test_hostile_files(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"images-idx3-ubyte: .*{message}"):
        read_idx(path)


def test_missing_file_and_folder(path: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="could not read: No such file"):
        read_idx(path)
    with pytest.raises(DataError, match="could not read: Is a directory"):
        read_idx(tmp_path)


# The real data


def folder_of(name: str) -> Path:
    folder = Path(os.environ.get("AUTOGRAD_CNN_DATA", ""), name)
    if not os.environ.get("AUTOGRAD_CNN_DATA") or not folder.is_dir():
        pytest.skip(f"AUTOGRAD_CNN_DATA names no folder with {name}")
    return folder


@pytest.mark.parametrize(
    ("kind", "train", "first", "mean"),
    [
        (MNIST, True, [5, 0, 4, 1, 9, 2, 1, 3], 0.1307),
        (MNIST, False, [7, 2, 1, 0, 4, 1, 4, 9], 0.1325),
        (FashionMNIST, True, [9, 0, 0, 3, 0, 2, 7, 2], 0.2860),
        (FashionMNIST, False, None, 0.2868),
    ],
)
def test_real_files(kind: type[MNIST], train: bool, first: list[int] | None, mean: float) -> None:
    folder = folder_of(kind.folder_name)
    data = kind(train=train, download=False)
    assert data.data.shape == (60_000 if train else 10_000, 28, 28)
    assert first is None or data.targets.numpy()[:8].tolist() == first
    assert abs(data.data.numpy().mean() / 255 - mean) < 5e-5
    images, targets = next(iter(DataLoader(data, 100)))
    assert (images.shape, images.dtype, targets.dtype) == ((100, 1, 28, 28), np.float32, np.int64)
    for name, (size, sha256) in kind.sums.items():
        content = (folder / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (size, sha256)


def test_no_files_and_no_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRAD_CNN_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(DataError, match=f"train-images.*{tmp_path}/root.*{tmp_path}/data/mnist.*download=True"):
        MNIST(tmp_path / "root", download=False)


def test_files_of_another_data_set(tmp_path: Path) -> None:
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(ZIPPED)
    with pytest.raises(DataError, match=r"holds \(4, 3, 2\) of uint8, not \(60000, 28, 28\)"):
        MNIST(tmp_path, download=False)


# Downloads


class Server:
    """Answers every address with the same bytes, in the way that `urlopen` answers."""

    def __init__(self, content: bytes, breaks_after: int | None = None) -> None:
        self.content, self.breaks_after, self.asked = content, breaks_after, []

    def __call__(self, url: str) -> Any:
        self.asked.append(url)
        response = io.BytesIO(self.content)
        if self.breaks_after is not None:
            response = io.BufferedReader(Breaking(self.content[: self.breaks_after]))  # type: ignore[assignment]
        return response


class Breaking(io.BytesIO):
    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer)
        if not count:
            raise ConnectionResetError(104, "Connection reset by peer")
        return count


def remote(content: bytes, *folders: str) -> RemoteFile:
    return RemoteFile("set.gz", len(content), hashlib.sha256(content).hexdigest(), folders or ("https://example.org/",))


def test_download_then_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTOGRAD_CNN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    content = os.urandom(600_000)
    server, steps = Server(content), []
    for _ in range(2):
        path = find_or_download(
            remote(content),
            "set",
            None,
            download=True,
            progress=lambda *step: steps.append(step),
            open_url=server,
        )
        assert path == cache_folder() / "set" / "set.gz"
        assert path.read_bytes() == content
    assert server.asked == ["https://example.org/set.gz"], "the second time it is there"
    assert [step[1:] for step in steps] == [(262144, 600000), (524288, 600000), (600000, 600000)]


@pytest.mark.parametrize(
    ("server", "message"),
    [
        (Server(b"right, but not quite"), "SHA-256 is"),
        (Server(b"right, but n"), "ended after 12 of 20 bytes"),
        (Server(b""), "ended after 0 of 20"),
        (Server(b"right, but not right and far too long"), "more than the 20 bytes"),
        (Server(b"right, but not right", breaks_after=7), "Connection reset"),
    ],
)
def test_bad_downloads_leave_nothing(tmp_path: Path, server: Server, message: str) -> None:
    with pytest.raises(DataError, match=f"could not download set.gz to .*https://example.org/set.gz: .*{message}"):
        fetch(remote(b"right, but not right"), tmp_path / "set.gz", open_url=server)
    assert os.listdir(tmp_path) == []


def test_second_home_is_tried(tmp_path: Path) -> None:
    def answer(url: str) -> Any:
        if "one" in url:
            raise TimeoutError("timed out")
        return io.BytesIO(b"content")

    fetch(remote(b"content", "https://one/", "https://two/"), tmp_path / "set.gz", open_url=answer)
    assert (tmp_path / "set.gz").read_bytes() == b"content"


@pytest.mark.parametrize("url", ["http://example.org/set.gz", "file:///etc/passwd", "ftp://example.org/set.gz"])
def test_only_https(url: str) -> None:
    with pytest.raises(DataError, match="not an https address"):
        open_https(url)
    with pytest.raises(DataError, match="not an https address"):
        _HttpsOnly().redirect_request(None, None, 302, "Found", {}, url)


def test_all_homes_are_https() -> None:
    for kind in (MNIST, FashionMNIST):
        assert all(home.startswith("https://") for home in kind.homes)


@pytest.mark.skipif(os.name == "nt", reason="Windows knows the home without these names")
def test_without_a_home_a_folder_must_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CACHE_HOME", "AUTOGRAD_CNN_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    with pytest.raises(DataError, match=r"set: there is no home folder to keep set.gz in; give root="):
        find_or_download(remote(b""), "set", None, download=True)
