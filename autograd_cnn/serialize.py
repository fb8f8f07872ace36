"""State dicts and other data as `.safetensors` files with digests that are checked on loading; JSON files likewise.

Any safetensors reader opens these files.  No pickle: nothing in a file can name code.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import IO, Any, NamedTuple

import numpy as np
import safetensors
import safetensors.numpy

from autograd_cnn import state_tree
from autograd_cnn.creation import as_tensor
from autograd_cnn.device import Device
from autograd_cnn.device import device as as_device
from autograd_cnn.durable import atomic_write, read_file
from autograd_cnn.errors import ArgumentError, CheckpointError, DTypeError
from autograd_cnn.tensor import Tensor

FORMAT = 1
MAX_HEADER_BYTES = 100_000_000  # the safetensors library's own limit

_FORMAT_KEY = "autograd_cnn.format"
_TENSORS_KEY = "autograd_cnn.tensors"  # {name: SHA-256 of its bytes}, in the state dict's order
_HEADER_KEY = "autograd_cnn.header"  # SHA-256 of all before the tensors' bytes, with this value itself blank
_TREE_KEY = "autograd_cnn.tree"  # what the tensors are parts of, where it is no state dict: `state_tree`'s JSON
_OUR_KEYS = (_FORMAT_KEY, _TENSORS_KEY, _HEADER_KEY, _TREE_KEY)
_BLANK = "0" * 64
_METADATA_START = b'{"__metadata__":'

_DTYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1",
    "BOOL": "|b1",
}  # fmt: skip


class StateFile(NamedTuple):
    """What a file holds: the arrays by name, in the order they were saved, and the caller's metadata."""

    tensors: dict[str, np.ndarray]
    metadata: dict[str, str]


def save(obj: Any, f: str | os.PathLike[str] | IO[bytes], metadata: Mapping[str, str] | None = None) -> None:
    """Writes data to one `.safetensors` file, in full or not at all.

    obj: a state dict, which other readers of the format find under its names; or dicts, lists and tuples, nested, of
    tensors, arrays, numbers, strings, bytes, None, dtypes and devices.  Tensors and arrays are of dtype float16/32/64,
    (u)int8..64 or bool.  Subclasses, such as a named tuple, come back as the plain type.
    f: a path, or a binary file to write to.
    metadata: strings by name, kept in the file's header.
    Errors: `ArgumentError` for what is no data, with its place and what to save instead; `DTypeError` for another
    dtype; `CheckpointError` if the disk does not take the file, and then the old one stays.

    >>> import numpy as np, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.safetensors")
    ...     save({"fc.weight": np.eye(2, dtype=np.float32)}, path, metadata={"epoch": "3"})
    ...     read(path)
    StateFile(tensors={'fc.weight': array([[1., 0.],
           [0., 1.]], dtype=float32)}, metadata={'epoch': '3'})
    """
    metadata = _checked_metadata(metadata or {})
    if _is_state_dict(obj):
        content = encode_state(obj, metadata)
    else:
        arrays: dict[str, np.ndarray] = {}
        content = encode_state(arrays, metadata, tree=json.dumps(state_tree.encode(obj, arrays)))
    if not hasattr(f, "write"):
        write_checked(f, *content)
        return
    for part in content:
        f.write(part)


def load(
    f: str | os.PathLike[str] | IO[bytes],
    map_location: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    allow_unverified: bool = False,
) -> Any:
    """Reads what `save` wrote, arrays of a state dict as Tensors; every byte is checked before anything is returned.

    map_location: the device that is here, or anything else that chooses one: there is one to choose.
    weights_only, mmap: accepted; a file holds nothing but data, and is read as a whole.
    allow_unverified: also take a safetensors file without these digests, such as PyTorch's users write; its
    layout is checked, its values cannot be.
    Errors: `CheckpointError` with the path and the reason, `DeviceError` for a device that is not here.

    >>> import io
    >>> import numpy as np, pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.safetensors")
    ...     save({"bias": np.zeros(3)}, path)
    ...     load(path)
    {'bias': tensor([0., 0., 0.], dtype=float64)}
    >>> file = io.BytesIO()
    >>> save({"epoch": 3, "losses": [0.5, 0.25], "shape": (2, None)}, file)
    >>> _ = file.seek(0)
    >>> load(file)
    {'epoch': 3, 'losses': [0.5, 0.25], 'shape': (2, None)}
    """
    if isinstance(map_location, str | Device):
        as_device(map_location)
    data, path = (f.read(), getattr(f, "name", "the file")) if hasattr(f, "read") else (read_checked(f), f)
    (arrays, _), tree = _decode(data, path, allow_unverified)
    try:
        if tree is not None:
            return state_tree.decode(json.loads(tree), arrays)
        return {name: as_tensor(array) for name, array in arrays.items()}
    except DTypeError as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}; serialize.read gives arrays") from error
    except (CheckpointError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{os.fspath(path)}: {error}") from error


def _is_state_dict(obj: Any) -> bool:
    """Whether the format holds it as it is: arrays by name."""
    return isinstance(obj, Mapping) and all(
        isinstance(name, str) and isinstance(value, np.ndarray | np.generic | Tensor) for name, value in obj.items()
    )


def read(path: str | os.PathLike[str], *, allow_unverified: bool = False) -> StateFile:
    """As `load`, but arrays of whatever dtype the file has, and the metadata with them."""
    return decode_state(read_checked(path), path, allow_unverified=allow_unverified)


def encode_state(
    state: Mapping[str, Any], metadata: Mapping[str, str] | None = None, *, tree: str | None = None
) -> tuple[bytes, memoryview]:
    """The file of a state dict in two parts, header and tensor bytes; the same state gives the same bytes.

    tree: JSON that says what the arrays are parts of, where it is not the state dict.
    """
    if not isinstance(state, Mapping):
        raise DTypeError(f"save: takes a dict of tensors, such as model.state_dict(), got {type(state).__name__}")
    arrays = {_checked_name(name): _as_array(name, value) for name, value in state.items()}
    metadata = _checked_metadata(metadata or {})
    encoded = safetensors.numpy.save(arrays)
    length = int.from_bytes(encoded[:8], "little")
    ours = {
        _FORMAT_KEY: str(FORMAT),
        _HEADER_KEY: _BLANK,
        _TENSORS_KEY: json.dumps({name: _sha256(_bytes(array)) for name, array in arrays.items()}),
    } | ({} if tree is None else {_TREE_KEY: tree})
    # The library writes metadata in random order; placed here, the same state always gives the same file.
    rest = encoded[9 : 8 + length].rstrip(b" ")
    header = _METADATA_START + json.dumps(ours | dict(sorted(metadata.items()))).encode()
    header += (b"," if rest != b"}" else b"") + rest
    header += b" " * (-len(header) % 8)
    if len(header) > MAX_HEADER_BYTES:
        raise ArgumentError(f"save: names and metadata take {len(header)} bytes; at most {MAX_HEADER_BYTES}")
    header = len(header).to_bytes(8, "little") + header
    return _stamp(header, _sha256(header)), memoryview(encoded)[8 + length :]


def decode_state(data: bytes, path: str | os.PathLike[str], *, allow_unverified: bool = False) -> StateFile:
    """The state dict that the bytes of a file hold; `path` is for the messages."""
    return _decode(data, path, allow_unverified)[0]


def _decode(data: bytes, path: str | os.PathLike[str], allow_unverified: bool) -> tuple[StateFile, str | None]:
    """The arrays and metadata of a file, and the tree that the arrays are parts of, if any."""
    header = _split_header(data, path)
    metadata = _metadata(header, path, allow_unverified)
    digests = _check_header(header, metadata, path) if _HEADER_KEY in metadata else None
    try:
        entries = dict(safetensors.deserialize(data))  # type: ignore[no-untyped-call]
    except (safetensors.SafetensorError, ValueError, OverflowError) as error:
        raise CheckpointError(f"{os.fspath(path)}: not a valid safetensors file: {error}") from error
    if digests is None:
        if not allow_unverified:
            raise CheckpointError(
                f"{os.fspath(path)}: a safetensors file without autograd_cnn's digests, so damage would "
                "go unseen; to load it all the same, pass allow_unverified=True"
            )
        digests = {name: _sha256(entry["data"]) for name, entry in entries.items()}
    if digests.keys() != entries.keys():
        raise CheckpointError(f"{os.fspath(path)}: the digests' names are not the tensors' names")
    tensors = {name: _tensor(name, entries[name], digest, path) for name, digest in digests.items()}
    theirs = {key: value for key, value in metadata.items() if key not in _OUR_KEYS}
    return StateFile(tensors, theirs), metadata.get(_TREE_KEY) if _HEADER_KEY in metadata else None


def save_json(content: Any, path: str | os.PathLike[str]) -> None:
    """Writes a JSON value to a file together with its SHA-256, in full or not at all.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "history.json")
    ...     save_json({"loss": [2.3, 0.1]}, path)
    ...     load_json(path)
    {'loss': [2.3, 0.1]}
    """
    write_checked(path, encode_json(content))


def load_json(path: str | os.PathLike[str]) -> Any:
    """Reads what `save_json` wrote; a file that differs in one byte is refused with `CheckpointError`."""
    return decode_json(read_checked(path), path)


def encode_json(content: Any) -> bytes:
    """The file of a JSON value: `{"format", "sha256", "content"}`, the digest of the printed content."""
    try:
        body = json.dumps(content, indent=1, allow_nan=False)
        if json.loads(body) != content:
            raise ValueError("a value changes on its way through JSON (a tuple, or a key that is no string)")
    except (TypeError, ValueError, RecursionError) as error:
        raise ArgumentError(f"save_json: {error}") from error
    return f'{{\n"format": {FORMAT},\n"sha256": "{_sha256(body.encode())}",\n"content": {body}\n}}\n'.encode()


def decode_json(data: bytes, path: str | os.PathLike[str]) -> Any:
    """The value that the bytes of a file from `save_json` hold; `path` is for the messages."""
    try:
        content = json.loads(data)["content"]
        expected = encode_json(content)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{os.fspath(path)}: not a JSON file of autograd_cnn: {error!r}") from error
    if expected != data:
        raise CheckpointError(f"{os.fspath(path)}: the content is not the one whose SHA-256 the file names")
    return content


def write_checked(path: str | os.PathLike[str], *content: Any) -> None:
    """`atomic_write` whose failure is a `CheckpointError` that names path, bytes and the system's reason."""
    try:
        atomic_write(path, *content)
    except OSError as error:
        size = sum(memoryview(part).nbytes for part in content)
        raise CheckpointError(f"{os.fspath(path)}: could not save {size} bytes: {error}") from error


def read_checked(path: str | os.PathLike[str]) -> bytes:
    """`read_file` whose failure is a `CheckpointError` that names the path and the system's reason."""
    try:
        return read_file(path)
    except OSError as error:
        reason = "a symbolic link; pass the path it points to" if os.path.islink(path) else error
        raise CheckpointError(f"{os.fspath(path)}: could not read: {reason}") from error


def _sha256(data: Any) -> str:
    return hashlib.sha256(data).hexdigest()


def _stamp(header: bytes, digest: str) -> bytes:
    """The header with the value of its own digest put in place."""
    before, key, after = header.partition(f'"{_HEADER_KEY}": "'.encode())
    return before + key + digest.encode() + after[len(digest) :]


def _bytes(array: np.ndarray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _checked_name(name: Any) -> str:
    if not isinstance(name, str):
        raise ArgumentError(f"save: names are strings, not {name!r}")
    if name == "__metadata__":
        raise ArgumentError("save: '__metadata__' is the format's own word and cannot name a tensor")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"save: the name {name!r} is not valid Unicode: {error}") from error
    return name


def _checked_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    for key, value in metadata.items():
        if not (isinstance(key, str) and isinstance(value, str)):
            raise ArgumentError(f"save: metadata maps strings to strings, not {key!r} to {value!r}")
        if key in _OUR_KEYS:
            raise ArgumentError(f"save: the metadata key {key!r} is autograd_cnn's own")
    return dict(metadata)


def _as_array(name: str, value: Any) -> np.ndarray:
    """A contiguous little-endian array of one of the dtypes that the format has."""
    array = np.asarray(value.detach().numpy() if isinstance(value, Tensor) else value, order="C")
    array = array.astype(array.dtype.newbyteorder("<"), copy=False)
    if array.dtype.str not in _DTYPES.values():
        raise DTypeError(f"save: {name!r} has dtype {array.dtype}; a file holds {', '.join(_DTYPES)}")
    return array


def _split_header(data: bytes, path: str | os.PathLike[str]) -> bytes:
    """The length and the header, once they are known to lie inside the file."""
    if data.startswith(b"version https://git-lfs"):
        raise CheckpointError(f"{os.fspath(path)}: a Git LFS pointer, not the file; run `git lfs pull`")
    if data.startswith((b"PK\x03\x04", b"\x80")) and data[8:9] != b"{":
        raise CheckpointError(
            f"{os.fspath(path)}: not a safetensors file, but one of torch.save, whose pickle could run anything; "
            "convert it where it was made, by safetensors.torch.save_file, and load(path, allow_unverified=True)"
        )
    if len(data) < 10:
        raise CheckpointError(f"{os.fspath(path)}: {len(data)} bytes are too few for a safetensors file")
    length = int.from_bytes(data[:8], "little")
    if length > min(len(data) - 8, MAX_HEADER_BYTES):
        raise CheckpointError(
            f"{os.fspath(path)}: torn, or not a safetensors file: a header of {length} bytes in a file of {len(data)}"
        )
    if data[8 : 8 + length][:1] != b"{":
        raise CheckpointError(f"{os.fspath(path)}: not a safetensors file: its header does not begin with '{{'")
    return data[: 8 + length]


def _metadata(header: bytes, path: str | os.PathLike[str], allow_unverified: bool) -> dict[str, str]:
    """The header's `__metadata__`; in our files it comes first, so nothing else is parsed unchecked."""
    try:
        text = header[8:].decode()
        if header.startswith(_METADATA_START, 8):
            metadata, _ = json.JSONDecoder().raw_decode(text, len(_METADATA_START))
        else:
            metadata = json.loads(text).get("__metadata__", {}) if allow_unverified else {}
        if not all(isinstance(part, str) for pair in metadata.items() for part in pair):
            raise ValueError("metadata that is not strings")
    except (ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{os.fspath(path)}: not a safetensors header: {error}") from error
    return metadata


def _check_header(header: bytes, metadata: Mapping[str, str], path: str | os.PathLike[str]) -> dict[str, str]:
    """The digests of the tensors, from a header that is byte for byte the one that was written."""
    if _sha256(_stamp(header, _BLANK)) != metadata[_HEADER_KEY]:
        raise CheckpointError(f"{os.fspath(path)}: the header is damaged: its SHA-256 is another")
    if metadata.get(_FORMAT_KEY) != str(FORMAT):
        raise CheckpointError(
            f"{os.fspath(path)}: format {metadata.get(_FORMAT_KEY)}; this version reads format {FORMAT}"
        )
    try:
        digests = json.loads(metadata[_TENSORS_KEY])
        digests.keys()
    except (KeyError, ValueError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{os.fspath(path)}: the header lists no digests: {error!r}") from error
    return digests


def _tensor(name: str, entry: Mapping[str, Any], digest: str, path: str | os.PathLike[str]) -> np.ndarray:
    if entry["dtype"] not in _DTYPES:
        raise CheckpointError(
            f"{os.fspath(path)}: tensor {name!r} has dtype {entry['dtype']}, which NumPy lacks; "
            "convert it to float32 before saving"
        )
    if _sha256(entry["data"]) != digest:
        raise CheckpointError(f"{os.fspath(path)}: tensor {name!r} is damaged: its SHA-256 is another")
    array = np.frombuffer(entry["data"], dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])
    if array.dtype == np.bool_ and array.size and array.view(np.uint8).max() > 1:
        raise CheckpointError(f"{os.fspath(path)}: tensor {name!r} holds bools that are neither 0 nor 1")
    return array
