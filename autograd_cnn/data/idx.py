"""Reading IDX files, the format of MNIST, strictly: a file that is not exactly what it says is an error."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from autograd_cnn.errors import DataError

# The third byte of the magic number; values are big-endian.
_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_GZIP_RATIO = 1032  # deflate cannot do better, so a header that claims more is refused before it is believed


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in an IDX file, gzipped or plain.

    Layout: two zero bytes, a byte for the dtype, a byte for the number of dimensions, a big-endian uint32 for
    each, then the values, and nothing more.
    Errors: `DataError` that names the file and what was found.  Source: yann.lecun.com/exdb/mnist.
    """
    path = Path(path)
    try:
        with open(path, "rb") as raw:
            gzipped = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            limit = path.stat().st_size * (_MAX_GZIP_RATIO if gzipped else 1)
            if not gzipped:
                return _parse(raw, path, limit)
            with gzip.GzipFile(fileobj=raw) as stream:
                return _parse(stream, path, limit)  # type: ignore[arg-type]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: the gzip data is torn or damaged: {error}") from error
    except OSError as error:
        raise DataError(f"{path}: could not read: {error.strerror or error}") from error


def _parse(stream: BinaryIO, path: Path, limit: int) -> np.ndarray:
    magic = _exactly(stream, 4, "the magic number", path)
    if magic[:2] != b"\0\0" or magic[2] not in _DTYPES or not magic[3]:
        raise DataError(f"{path}: not an IDX file: it begins with {magic.hex(' ')}, not 00 00, a dtype, a rank")
    dtype = np.dtype(_DTYPES[magic[2]])
    header = _exactly(stream, 4 * magic[3], f"{magic[3]} dimensions", path)
    shape = tuple(int.from_bytes(header[at : at + 4], "big") for at in range(0, len(header), 4))
    size = math.prod(shape) * dtype.itemsize
    if size > limit:
        raise DataError(f"{path}: torn: the header names {shape} values of {dtype}, more than the file can hold")
    values = _exactly(stream, size, f"{shape} values of {dtype}", path)
    if stream.read(1):  # and at the end of a gzip file, this is where its checksum is compared
        raise DataError(f"{path}: more bytes follow after {shape} values of {dtype}")
    return np.frombuffer(bytearray(values), dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def _exactly(stream: BinaryIO, size: int, what: str, path: Path) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise DataError(f"{path}: torn: {what} take {size} bytes, {len(data)} are there")
    return data
