"""Hostile state dict files: the answer to each is `CheckpointError`, soon and in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from autograd_cnn import serialize
from autograd_cnn.errors import CheckpointError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.safetensors"


def raw_file(header: str | bytes, data: bytes = b"") -> bytes:
    header = header.encode() if isinstance(header, str) else header
    return len(header).to_bytes(8, "little") + header + data


# Hostile headers


def tensor(dtype: object = "F32", shape: object = (2,), offsets: object = (0, 8)) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


EIGHT = b"\0" * 8
HALVES = [json.dumps(tensor(shape=(1,), offsets=(start, start + 4))) for start in (0, 4)]
GOOD = json.dumps({"x": tensor()})
HOSTILE: dict[str, bytes] = {
    **{
        f"length {n}": n.to_bytes(8, "little") + b"{}" + EIGHT
        for n in (0, 1, 11, 10**8, 10**8 + 1, 2**31, 2**63)
    },
    "length 2^64-1": b"\xff" * 8 + b"{}" + EIGHT,
    "not JSON": raw_file("{x}", EIGHT),
    "not UTF-8": raw_file(b'{"\xff":1}', EIGHT),
    "half a surrogate": raw_file('{"\\ud800":' + json.dumps(tensor()) + "}", EIGHT),
    "byte order mark": raw_file("\ufeff" + GOOD, EIGHT),
    "leading space": raw_file(" " + GOOD, EIGHT),
    "trailing comma": raw_file(GOOD[:-1] + ",}", EIGHT),
    "two values": raw_file(GOOD + GOOD, EIGHT),
    "null byte": raw_file(GOOD + "\0", EIGHT),
    "comment": raw_file("/**/" + GOOD, EIGHT),
    "nested arrays": raw_file("[" * 100_000, EIGHT),
    "nested objects": raw_file('{"a":' * 100_000, EIGHT),
    "nested shape": raw_file('{"x":{"dtype":"F32","shape":' + "[" * 10**5 + "]" * 10**5 + "}}"),
    "long number": raw_file('{"x":{"dtype":"F32","shape":[' + "9" * 10**5 + "]}}", EIGHT),
    "same name twice": raw_file(f'{{"x":{HALVES[0]},"x":{HALVES[1]}}}', EIGHT),
    **{
        f"top is {text}": raw_file(text, EIGHT)
        for text in ("[]", "null", "3", '"x"', "true", "{}", '{"x":null}', '{"x":[]}', '{"x":{}}', '{"x":3}')
    },
    **{
        f"{name} {value!r}"[:60]: raw_file(json.dumps({"x": tensor(**{name: value})}), EIGHT)
        for name, values in {
            "dtype": ("F31", "", None, 3, "f32", "O", "<f4", "__import__('os')"),
            "shape": (
                None, 2, [-2], [2.0], ["2"], [True], [[2]], [3], [0], [1],
                [2**64], [2**63, 2], [2**32, 2**32],
            ),
            "offsets": (
                None, [], [0], [0, 8, 8], [8, 0], [-8, 0], [0, 7], [0, 16], [1, 9], [0.0, 8.0], ["0", "8"],
                [0, 2**64], [0, 2**63], [2**63, 2**63 + 8],
            ),
        }.items()
        for value in values
    },
    "NaN size": raw_file('{"x":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', EIGHT),
    "infinite offset": raw_file('{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,1e999]}}', EIGHT),
    "overlap": raw_file(json.dumps({"x": tensor(), "y": tensor()}), EIGHT),
    "hole": raw_file(json.dumps({"x": tensor(), "y": tensor(offsets=(16, 24))}), EIGHT * 3),
    "bytes of nobody": raw_file(GOOD, EIGHT * 2),
    "bytes missing": raw_file(GOOD, EIGHT[1:]),
    "unknown field": raw_file(json.dumps({"x": tensor() | {"code": "import os"}, "y": 3}), EIGHT),
    **{
        f"metadata {value}": raw_file('{"__metadata__":' + value + "," + GOOD[1:], EIGHT)
        for value in ("3", "[]", '{"a":3}', '{"a":null}', '{"a":{}}', '{"a":["b"]}', '"x"', "{", "[" * 10**5)
    },
    **{
        f"claims digest {value!r}"[:60]: raw_file(
            '{"__metadata__":{"autograd_cnn.header":' + json.dumps(value) + "}," + GOOD[1:], EIGHT
        )
        for value in ("", "00", "0" * 64, "é" * 64, None, "f" * 10**6)
    },
    "100,000 tensors of 8 bytes": raw_file(json.dumps({f"x{i}": tensor() for i in range(10**5)}), EIGHT),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_header(path: Path, name: str) -> None:
    path.write_bytes(HOSTILE[name])
    for allow_unverified in (False, True):
        with pytest.raises(CheckpointError, match=r"model\.safetensors"):
            serialize.load(path, allow_unverified=allow_unverified)


def test_there_are_enough_hostile_headers() -> None:
    assert len(HOSTILE) >= 60


def stamped(metadata: dict[str, object], header: str = GOOD) -> bytes:
    """A file whose header digest is right, as someone could make it who knows how."""
    text = json.dumps(metadata | {"autograd_cnn.header": "0" * 64}).encode()
    data = raw_file(b'{"__metadata__":' + text + b"," + header[1:].encode(), EIGHT)
    start = len(data) - len(EIGHT)
    return serialize._stamp(data[:start], serialize._sha256(data[:start])) + data[start:]


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({}, "format None"),
        ({"autograd_cnn.format": "2"}, "format 2"),
        ({"autograd_cnn.format": "1"}, "lists no digests"),
        ({"autograd_cnn.format": "1", "autograd_cnn.tensors": "["}, "lists no digests"),
        ({"autograd_cnn.format": "1", "autograd_cnn.tensors": "[]"}, "lists no digests"),
        ({"autograd_cnn.format": "1", "autograd_cnn.tensors": "{}"}, "names are not"),
        ({"autograd_cnn.format": "1", "autograd_cnn.tensors": '{"y": ""}'}, "names are not"),
        ({"autograd_cnn.format": "1", "autograd_cnn.tensors": '{"x": 3}'}, "damaged"),
        ({"autograd_cnn.format": "1", "autograd_cnn.tensors": '{"x": null}'}, "damaged"),
    ],
)
def test_hostile_digests(metadata: dict[str, object], reason: str) -> None:
    with pytest.raises(CheckpointError, match=reason):
        serialize.decode_state(stamped(metadata), "file")


def test_4000_mutants() -> None:
    state = {"weight": np.ones((2, 3), np.float32), "bias": np.zeros(3), "steps": np.array(7)}
    small_file = b"".join(serialize.encode_state(state, {"epoch": "3"}))
    rng = np.random.default_rng(9)
    plain = safetensors.numpy.save(state, metadata={"a": "b"})
    pieces = [
        b"{",
        b"}",
        b"[",
        b"]",
        b'"',
        b",",
        b":",
        b"-",
        b"9" * 20,
        b"null",
        b"\xff",
        b"\\u0000",
        b'"x":',
    ]
    loaded = 0
    for seed in (small_file, plain):
        for _ in range(2_000):
            data = bytearray(seed)
            for _ in range(rng.integers(1, 4)):
                at = int(rng.integers(len(data)))
                data[at : at + int(rng.integers(0, 6))] = pieces[rng.integers(len(pieces))]
            try:
                serialize.decode_state(bytes(data), "file", allow_unverified=seed is plain)
                loaded += seed is small_file
            except CheckpointError:
                pass
    assert loaded == 0


MEMORY_PROBE = """
import json, resource, sys
from autograd_cnn import serialize
from autograd_cnn.errors import CheckpointError
size = 0
folder, names = sys.argv[1], json.load(sys.stdin)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
opened = []
sys.addaudithook(lambda event, args: opened.append((event, str(args))))
for name in names:
    for allow_unverified in (False, True):
        try:
            serialize.load(f"{folder}/{name}", allow_unverified=allow_unverified)
        except CheckpointError:
            pass
        else:
            raise SystemExit(f"{name} was loaded")
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
families = ("import", "exec", "compile", "socket", "subprocess", "ctypes")
bad = [e for e in opened if e[0].split(".")[0] in families]
bad += [e for e in opened if e[0] == "open" and folder not in e[1] and not e[1].startswith("(3")]
print(json.dumps({"grown": grown, "bad": bad[:5]}))
"""


def test_hostile_headers_take_no_memory_and_run_nothing(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="no resource module on this system")
    names = []
    for i, content in enumerate(HOSTILE.values()):
        names.append(f"{i}.safetensors")
        (tmp_path / names[-1]).write_bytes(content)
    child = subprocess.run(
        [sys.executable, "-c", MEMORY_PROBE, tmp_path],
        input=json.dumps(names),
        capture_output=True,
        text=True,
    )
    assert child.returncode == 0, child.stdout + child.stderr
    found = json.loads(child.stdout)
    biggest = max(map(len, HOSTILE.values())) >> 10
    assert found["grown"] < biggest + (64 << 10), f"{found['grown']} KiB for a file of {biggest} KiB"
    assert found["bad"] == []
