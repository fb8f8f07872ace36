"""State dict files: nothing damaged, foreign or hostile is loaded; what is saved comes back bit for bit."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import safetensors.numpy
from counting import lines_run

from autograd_cnn import nn, optim, serialize
from autograd_cnn.creation import tensor
from autograd_cnn.devices import device
from autograd_cnn.durable import atomic_file, atomic_write, read_file
from autograd_cnn.errors import ArgumentError, CheckpointError, DeviceError, DTypeError
from autograd_cnn.sampling import randn
from autograd_cnn.tensor import Tensor

DTYPES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")


def small_state() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "conv.weight": rng.standard_normal((2, 3)).astype(np.float32),
        "conv.bias": np.array([np.nan, -0.0, np.inf]),
        "steps": np.array(7),
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


@pytest.fixture(scope="module")
def small_file() -> bytes:
    return b"".join(serialize.encode_state(small_state(), {"epoch": "3"}))


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert (found[name].shape, found[name].dtype.str[1:]) == (array.shape, array.dtype.str[1:])
        assert found[name].tobytes() == np.asarray(array, array.dtype.newbyteorder("=")).tobytes()


# What is saved comes back


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 1)])
def test_round_trip(path: Path, dtype: str, shape: tuple[int, ...]) -> None:
    state = {"x": (np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2).astype(dtype)}
    serialize.save(state, path)
    assert_same(serialize.read(path).tensors, state)


def test_names_order_and_metadata_come_back(path: Path) -> None:
    names = [
        "z",
        "",
        "a.b",
        'quote " \\ ',
        "naïve 名前 \U0001f600",
        "new\nline",
        "../up",
        "{}",
        "autograd_cnn.header",
    ]
    state = {name: np.full(2, i) for i, name in enumerate(names)}
    metadata = {"format": "pt", "": "empty key", "ü": '{"sha": "x"}', "autograd_cnn.note": ""}
    serialize.save(state, path, metadata)
    found = serialize.read(path)
    assert_same(found.tensors, state)
    assert found.metadata == metadata


def test_empty_state(path: Path) -> None:
    serialize.save({}, path)
    assert serialize.load(path) == {}


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3).T,
        np.arange(12)[::-3],
        np.arange(4, dtype=">i4"),
        np.broadcast_to(np.float32(3), (2, 2)),
    ],
    ids=["transposed", "negative stride", "big-endian", "broadcast"],
)
def test_any_layout(path: Path, array: np.ndarray) -> None:
    serialize.save({"x": array}, path)
    assert_same(serialize.read(path).tensors, {"x": array})


def test_loaded_arrays_are_writable(path: Path) -> None:
    serialize.save({"x": np.zeros(2)}, path)
    serialize.read(path).tensors["x"] += 1


def test_same_state_gives_same_bytes(tmp_path: Path) -> None:
    metadata = {letter: letter for letter in "qwertyuiop"}
    backwards = dict(reversed(metadata.items()))
    one = b"".join(serialize.encode_state(small_state(), metadata))
    assert one == b"".join(serialize.encode_state(small_state(), backwards))


def test_other_readers_open_our_files(path: Path) -> None:
    state = small_state()
    serialize.save(state, path, {"format": "pt"})
    found = safetensors.numpy.load_file(path)
    assert {name: array.tobytes() for name, array in found.items()} == {
        name: array.tobytes() for name, array in state.items()
    }


@pytest.mark.parametrize("value", [np.array([object()]), np.zeros(2, complex), np.array(["text"])])
def test_wrong_dtype_is_refused_before_writing(path: Path, value: object) -> None:
    with pytest.raises(DTypeError, match=r"'x' has dtype"):
        serialize.save({"x": value}, path)
    assert not path.exists()


@pytest.mark.parametrize(
    ("state", "metadata", "message"),
    [
        ({"__metadata__": np.zeros(1)}, {}, "__metadata__"),
        ({"\ud800": np.zeros(1)}, {}, "not valid Unicode"),
        ({}, {"epoch": 3}, "strings to strings"),
        ({}, {"autograd_cnn.header": "x"}, "own"),
    ],
)
def test_wrong_names_and_metadata(path: Path, state: dict, metadata: dict, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        serialize.save(state, path, metadata)


def test_tensors_come_back_as_tensors(path: Path) -> None:
    weight = tensor([[1.0, 2.0]], requires_grad=True)
    serialize.save({"weight": weight, "flag": tensor(True)}, path)
    found = serialize.load(path)
    assert {name: type(value) for name, value in found.items()} == {"weight": Tensor, "flag": Tensor}
    assert (found["weight"].tolist(), found["weight"].dtype, found["flag"].item()) == (
        [[1, 2]],
        np.float32,
        True,
    )


def test_dtypes_that_tensors_lack(path: Path) -> None:
    serialize.save({"x": np.zeros(1, np.float16)}, path)
    with pytest.raises(CheckpointError, match=r"float16.*serialize\.read gives arrays"):
        serialize.load(path)


# Damage: bit flips, truncation, growth


def test_10000_bit_flips_and_1000_byte_swaps(small_file: bytes) -> None:
    rng = np.random.default_rng(5)
    silent = 0
    for _ in range(10_000):
        data = bytearray(small_file)
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        silent += not is_refused(bytes(data))
    swaps = 0
    while swaps < 1_000:
        data = bytearray(small_file)
        i, j = rng.integers(len(data), size=2)
        data[i], data[j] = data[j], data[i]
        if data != small_file:
            swaps += 1
            silent += not is_refused(bytes(data))
    assert silent == 0


def test_every_single_bit(small_file: bytes) -> None:
    for i in range(len(small_file)):
        for bit in range(8):
            data = bytearray(small_file)
            data[i] ^= 1 << bit
            assert is_refused(bytes(data)), (i, bit)


def is_refused(data: bytes) -> bool:
    try:
        serialize.decode_state(data, "file")
    except CheckpointError as error:
        return str(error).startswith("file: ")
    return False


def test_every_truncation_and_growth(small_file: bytes) -> None:
    """Each refused at once: the work does not grow with what a damaged length says."""
    accepted, most = lines_run(serialize.decode_state, small_file, "file")
    assert accepted
    tails = (b"\0", b" ", b"\n", b"\0" * 8, small_file, small_file[: len(small_file) // 2])
    damaged = [small_file[:length] for length in range(len(small_file))]
    damaged += [joined for tail in tails for joined in (small_file + tail, tail + small_file)]
    for data in damaged:
        refused, lines = lines_run(is_refused, data)
        assert refused
        assert lines < 2 * most


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "too few"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "Git LFS pointer"),
        (b"PK\x03\x04" + b"\0" * 100, "not a safetensors|without"),
        (b"\x80\x04\x95" + b"cos\nsystem\n(S'true'\ntR." * 4, "not a safetensors"),
        (b"<!DOCTYPE html><html>404: not found</html>", "not a safetensors"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'}" + b" " * 200, "not a safetensors"),
        (b"\0" * 4096, "not a safetensors"),
    ],
    ids=["empty", "lfs", "zip", "pickle", "html", "npy", "zeros"],
)
@pytest.mark.parametrize("allow_unverified", [False, True])
def test_foreign_files(path: Path, content: bytes, reason: str, allow_unverified: bool) -> None:
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=reason) as caught:
        serialize.load(path, allow_unverified=allow_unverified)
    assert str(path) in str(caught.value)


# Files of others


def test_file_without_digests_needs_a_word(path: Path) -> None:
    state = {"b": np.arange(3.0), "a": np.ones((2, 2), np.float32)}
    safetensors.numpy.save_file(state, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="allow_unverified=True"):
        serialize.load(path)
    found = serialize.read(path, allow_unverified=True)
    assert found.metadata == {"format": "pt"}
    assert {name: array.tobytes() for name, array in found.tensors.items()} == {
        name: array.tobytes() for name, array in state.items()
    }


def test_allow_unverified_still_checks_our_digests(small_file: bytes) -> None:
    data = bytearray(small_file)
    data[-1] ^= 1
    with pytest.raises(CheckpointError, match=r"'(steps|conv.*)' is damaged"):
        serialize.decode_state(bytes(data), "file", allow_unverified=True)


def one_tensor(dtype: str, data: bytes) -> bytes:
    header = f'{{"x":{{"dtype":"{dtype}","shape":[2],"data_offsets":[0,{len(data)}]}}}}'.encode()
    return len(header).to_bytes(8, "little") + header + data


def test_dtypes_that_numpy_lacks(path: Path) -> None:
    path.write_bytes(one_tensor("BF16", b"\0" * 4))
    with pytest.raises(CheckpointError, match="BF16"):
        serialize.load(path, allow_unverified=True)


def test_bools_that_are_no_bools(path: Path) -> None:
    path.write_bytes(one_tensor("BOOL", b"\1\2"))
    with pytest.raises(CheckpointError, match="neither 0 nor 1"):
        serialize.load(path, allow_unverified=True)


# What is not a regular file


@pytest.mark.skipif(os.name == "nt", reason="links and pipes need privileges on Windows")
def test_links_pipes_and_folders(tmp_path: Path, path: Path) -> None:
    serialize.save(small_state(), path)
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(path)
    os.mkfifo(pipe)
    for bad, reason in ((link, "symbolic link"), (pipe, "regular file"), (tmp_path, "regular|directory")):
        with pytest.raises(CheckpointError, match=reason):
            serialize.load(bad)
    with pytest.raises(CheckpointError, match="No such file"):
        serialize.load(tmp_path / "missing")


# How files are written


@pytest.mark.skipif(os.name == "nt", reason="POSIX file modes")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o007, 0o660), (0, 0o666)])
def test_mode_follows_umask(path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        serialize.save(small_state(), path)
        serialize.save(small_state(), path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode


def interrupt_while_writing(path: Path) -> None:
    with atomic_file(path) as stream:
        stream.write(b"new")
        raise KeyboardInterrupt


def test_failed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    atomic_write(path, b"old")
    with pytest.raises(ZeroDivisionError):
        atomic_write(path, b"new", lambda stream: 1 // 0)
    with pytest.raises(KeyboardInterrupt):
        interrupt_while_writing(path)
    assert os.listdir(tmp_path) == ["out.csv"]
    assert read_file(path) == b"old"


def test_leftovers_of_the_same_file_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".tmp-a[1].csv-0123abcd").touch()
    (tmp_path / ".tmp-other.csv-0123abcd").touch()
    atomic_write(tmp_path / "a[1].csv", b"x")
    assert sorted(os.listdir(tmp_path)) == [".tmp-other.csv-0123abcd", "a[1].csv"]


def test_unwritable_folder(tmp_path: Path) -> None:
    missing = tmp_path / "missing" / "model.safetensors"
    with pytest.raises(CheckpointError, match=r"missing.*could not save \d+ bytes.*No such file"):
        serialize.save(small_state(), missing)
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(CheckpointError, match="Not a directory"):
        serialize.save(small_state(), blocked / "model.safetensors")


# JSON


def test_json_round_trip_and_damage(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    content = {"loss": [0.1, 1e-300, -0.0, 2**70], "name": "ü", "none": None, "flag": True}
    serialize.save_json(content, path)
    assert serialize.load_json(path) == content
    good = path.read_bytes()
    for i in range(len(good)):
        for bit in range(8):
            data = bytearray(good)
            data[i] ^= 1 << bit
            with pytest.raises(CheckpointError, match="file"):
                serialize.decode_json(bytes(data), "file")
    for length in range(len(good)):
        with pytest.raises(CheckpointError, match="file"):
            serialize.decode_json(good[:length], "file")


@pytest.mark.parametrize("data", [b"[]", b"3", b"{}", b'{"content":NaN}', b"[" * 10**5, b'{"content":' + b"[" * 10**5])
def test_foreign_json(data: bytes) -> None:
    with pytest.raises(CheckpointError, match="file"):
        serialize.decode_json(data, "file")


@pytest.mark.parametrize("value", [{1: 2}, (1, 2), float("nan"), {1, 2}, np.float32(1)])
def test_what_json_would_change_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(ArgumentError, match="save_json"):
        serialize.save_json(value, tmp_path / "x.json")


# Other data than state dicts


class Point(NamedTuple):
    x: int
    y: Any


def both_ways(path: Path, value: Any) -> Any:
    """What comes back from a file and from a stream, which is the same."""
    stream = io.BytesIO()
    serialize.save(value, path)
    serialize.save(value, stream)
    assert stream.getvalue() == path.read_bytes()
    stream.seek(0)
    one, two = serialize.load(path), serialize.load(stream)
    assert repr(one) == repr(two)
    return one


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        [1.5, float("inf"), -0.0, True, "text", b"bytes"],
        {"epoch": 3, "betas": (0.9, 0.999), 7: None, (1, 2): [[], {}, ()]},
        {"device": device("cpu"), "dtype": np.dtype("float64"), "big": 2**100},
        {"$tensor": "not one"},
    ],
    ids=str,
)
def test_plain_data_comes_back(path: Path, value: Any) -> None:
    assert repr(both_ways(path, value)) == repr(value)


def test_what_training_saves_comes_back(path: Path) -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    optimizer = optim.Adam(model.parameters())
    model(randn(4, 3)).sum().backward()
    optimizer.step()
    saved = {
        "model": model.state_dict(),
        "optim": optimizer.state_dict(),
        "best": tensor(0.5),
        "mean": np.arange(3.0),
        "extra": [nn.Parameter(randn(2)), tensor([True]), randn(2, 0)],
        "point": Point(1, tensor([1, 2])),
    }
    found = both_ways(path, saved)
    assert list(found) == list(saved)
    other = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    other.load_state_dict(found["model"])
    assert all((a == b).all() for a, b in zip(other.parameters(), model.parameters(), strict=True))
    again = optim.Adam(other.parameters())
    again.load_state_dict(found["optim"])
    assert repr(again.state_dict()) == repr(optimizer.state_dict())
    assert (found["best"].item(), found["mean"].tolist()) == (0.5, [0, 1, 2])
    assert isinstance(found["mean"], np.ndarray)
    assert found["extra"][0].requires_grad
    assert [(x.shape, x.dtype) for x in found["extra"]] == [(x.shape, x.dtype) for x in saved["extra"]]
    assert found["point"][1].tolist() == [1, 2]
    found["best"].add_(1)  # memory of its own
    assert "model.0.weight" in safetensors.numpy.load_file(path), "other readers find the arrays by their place"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (nn.Linear(2, 2), r"the whole is a Linear, which is not data; save its state_dict\(\)"),
        ({"net": {"model": nn.Linear(2, 2)}}, r"net\.model is a Linear, .*state_dict"),
        ([1, {2, 3}], r"1 is a set, which is not data; save the numbers, strings and arrays"),
        ({"hook": print}, "hook is a builtin_function_or_method"),
        ({"z": 1j}, "z is a complex"),
        ({"x": np.array(["text"])}, "x.* dtype"),
        ({"a": [np.array([object()])]}, "a.0.* dtype"),
        ("\ud800", None),
        (10**4000, None),
    ],
)
def test_what_cannot_be_saved_is_refused_with_the_remedy(path: Path, value: Any, message: str | None) -> None:
    path.write_bytes(b"old")
    if message is None:  # JSON decides
        with contextlib.suppress(ArgumentError):
            serialize.save(value, path)
            assert repr(serialize.load(path)) == repr(value)
        return
    with pytest.raises((ArgumentError, DTypeError), match=message):
        serialize.save(value, path)
    assert path.read_bytes() == b"old"


def tree_file(tree: str, arrays: dict[str, np.ndarray] | None = None) -> io.BytesIO:
    """A file whose digests are right, as one who means harm can make them."""
    return io.BytesIO(b"".join(serialize.encode_state(arrays or {}, tree=tree)))


@pytest.mark.parametrize(
    "tree",
    [
        "",
        "{",
        "[" * 200 + "]" * 200,
        "[" * 10**5,
        '{"$code": "import os"}',
        '{"$tensor": "missing"}',
        '{"$tensor": "../x"}',
        '{"$tensor": 0}',
        '{"$leaf": ["<i8", [1], "AAAAAAAAAAA="]}',
        '{"$device": "cuda:x"}',
        '{"$dtype": "O"}',
        '{"$dict": [[[1], 2]]}',
        "1" * 5000,
        '{"$bytes": "%"}',
        '{"$tensor": ["<f8", [4611686018427387904], "AAAAAAAAAAA="]}',
    ],
    ids=lambda tree: tree[:20],
)
def test_hostile_trees(tree: str) -> None:
    with pytest.raises(CheckpointError):
        serialize.load(tree_file(tree))


def test_every_flip_in_a_tree_is_seen() -> None:
    whole = tree_file('{"a": [1, {"$tensor": "a.1"}]}', {"a.1": np.arange(2.0)}).getvalue()
    assert repr(serialize.load(io.BytesIO(whole))) == "{'a': [1, tensor([0., 1.], dtype=float64)]}"
    for at in range(len(whole)):
        for bit in (0, 5):
            damaged = bytearray(whole)
            damaged[at] ^= 1 << bit
            with pytest.raises(CheckpointError):
                serialize.load(io.BytesIO(bytes(damaged)))


def test_files_of_torch_save_are_named(path: Path, torch: ModuleType) -> None:
    for new in (True, False):
        torch.save({"x": torch.zeros(2)}, path, _use_new_zipfile_serialization=new)
        with pytest.raises(CheckpointError, match=r"one of torch.save.*safetensors.torch.save_file"):
            serialize.load(path)


@pytest.mark.parametrize("length", [640, 0x480])
def test_a_header_as_long_as_a_pickle_begins_is_none(path: Path, length: int) -> None:
    for pad in range(length):
        serialize.save({"x": np.zeros(1)}, path, {"pad": "x" * pad})
        if int.from_bytes(path.read_bytes()[:8], "little") >= length:
            break
    assert serialize.load(path)["x"].tolist() == [0]


def test_map_location(path: Path) -> None:
    serialize.save({"x": np.zeros(2)}, path)
    for place in ("cpu", device("cpu"), {"cuda:0": "cpu"}, lambda storage, location: storage, None):
        assert serialize.load(path, place, weights_only=True)["x"].device.type == "cpu"
    for place in ("cuda", device("cuda:1")):
        with pytest.raises(DeviceError, match="there is no device 'cuda"):
            serialize.load(path, map_location=place)
