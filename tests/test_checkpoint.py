"""Checkpoint folders: complete and unaltered, or not loaded; a fault costs the new one at most."""

from __future__ import annotations

import json
import math
import os
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest

from autograd_cnn import serialize, state_tree
from autograd_cnn.creation import tensor
from autograd_cnn.errors import ArgumentError, CheckpointError
from autograd_cnn.train import CheckpointStore

MODEL = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "steps": np.array(3)}
OPTIM = {
    "state": {0: {"momentum_buffer": np.array([0.1, np.nan]), "step": 3}, 1: {"exp_avg": None}},
    "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "nesterov": False, "params": [0, 1]}],
}


def save(store: CheckpointStore, step: int) -> Path:
    return store.save(step, {"w": np.full(3, step)}, {}, {"step": step})


@pytest.fixture
def store(tmp_path: Path) -> CheckpointStore:
    return CheckpointStore(tmp_path / "run")


def names(store: CheckpointStore) -> list[str]:
    return sorted(os.listdir(store.folder))


def damage(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


# What is saved comes back


def test_round_trip(store: CheckpointStore) -> None:
    rng = np.random.Generator(np.random.Philox(3))
    rng.integers(9, size=5, dtype=np.uint8)
    state = {"rng": rng.bit_generator.state, "history": [0.1, math.inf, 1e-310], "loader": {"epoch": 2}}
    folder = store.save(123, MODEL, OPTIM, state)
    assert folder.name == "step-00000123"
    assert sorted(os.listdir(folder)) == [
        "manifest.json",
        "model.safetensors",
        "optim.safetensors",
        "state.json",
    ]
    found = store.load()
    assert (found.step, store.latest()) == (123, 123)
    assert {name: array.tobytes() for name, array in found.model.items()} == {
        name: array.tobytes() for name, array in MODEL.items()
    }
    np.testing.assert_equal(found.optim, OPTIM)
    other = np.random.Generator(np.random.Philox(0))
    other.bit_generator.state = found.state["rng"]
    assert other.standard_normal(50).tolist() == rng.standard_normal(50).tolist()
    assert found.state["history"] == state["history"]


@pytest.mark.parametrize("kind", ["Philox", "PCG64", "MT19937", "SFC64", "PCG64DXSM"])
def test_random_states(kind: str) -> None:
    rng = np.random.Generator(getattr(np.random, kind)(5))
    rng.random(7)
    rng.integers(3, dtype=np.uint16)
    other = np.random.Generator(getattr(np.random, kind)(0))
    other.bit_generator.state = state_tree.decode(json.loads(json.dumps(state_tree.encode(rng.bit_generator.state))))
    assert other.integers(1000, size=100).tolist() == rng.integers(1000, size=100).tolist()


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize(
    "value",
    [
        {0: 1, "0": 2, None: 3, 1.5: 4, (1, "a"): 5, True: 6},
        {"$dict": [[1, 2]]},
        {"$array": "x", "y": {"$tuple": [1]}},
        {"": {"": ()}, "a.b": {"c": np.ones(1)}, "a": {"b.c": np.zeros(1)}},
        {0: np.zeros(2), "0": np.ones(2)},
        [(), [], {}, (1, [2, (3,)]), None, True, 0, -0.0, "ü\ud800"[:1]],
        [math.inf, -math.inf, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 2**200, -(2**63)],
        [np.float32(0.1), np.uint64(2**64 - 1), np.bool_(True), np.float64(0.1)],
        [b"", b"\xff\0", np.dtype("float32"), np.dtype("?")],
        [np.zeros((0, 2), np.int8), np.array(True), np.arange(3, dtype=">u4"), np.eye(3)[::2]],
    ],
)
def test_state_tree_loses_nothing(value: object, inline: bool) -> None:
    arrays: dict[str, np.ndarray] | None = None if inline else {}
    found = state_tree.decode(json.loads(json.dumps(state_tree.encode(value, arrays), allow_nan=False)), arrays)
    assert_identical(found, value)


def assert_identical(found: object, value: object) -> None:
    assert type(found) is type(value)
    if isinstance(value, dict):
        assert isinstance(found, dict)
        assert [*map(repr, found)] == [*map(repr, value)]
        assert_identical([*found.values()], [*value.values()])
    elif isinstance(value, list | tuple):
        assert isinstance(found, list | tuple)
        assert len(found) == len(value)
        for one, other in zip(found, value, strict=True):
            assert_identical(one, other)
    elif isinstance(value, np.ndarray):
        assert isinstance(found, np.ndarray)
        assert (found.shape, found.dtype.kind, found.dtype.itemsize) == (
            value.shape,
            value.dtype.kind,
            value.dtype.itemsize,
        )
        assert found.tolist() == value.tolist()
    else:
        assert repr(found) == repr(value)


def test_ordered_dict_becomes_a_dict() -> None:
    assert state_tree.decode(state_tree.encode(OrderedDict(b=1, a=2))) == {"b": 1, "a": 2}


@pytest.mark.parametrize("value", [{1, 2}, bytearray(b"x"), object(), len, 3j, np.array(["text"]), range(3)])
def test_what_is_not_data_is_refused_by_path(store: CheckpointStore, value: object) -> None:
    with pytest.raises((ArgumentError, TypeError), match=r"state: a\.0"):
        store.save(1, MODEL, {}, {"a": [value]})
    assert not store.folder.exists()


def test_endless_nesting_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ArgumentError, match="nested deeper"):
        state_tree.encode(loop)


@pytest.mark.parametrize(
    "value",
    [
        {"$code": "x"},
        {"$float": "1"},
        {"$array": "missing"},
        {"$array": ["<f8", [2], "AAAA"]},
        {"$array": ["|O", [1], "AAAAAAAAAAA="]},
        {"$array": ["<f8", [2**62], "AAAAAAAAAAA="]},
        {"$array": ["<f8", [1], "????"]},
        {"$dict": [[[], 1]]},
        {"$dict": 3},
        {"$tuple": None},
        {"$scalar": 3},
        {"$leaf": ["<i8", [1], "AAAAAAAAAAA="]},
        {"$tensor": ["<f2", [1], "AAA="]},
        {"$dtype": "O"},
        {"$dtype": "(3,)f8"},
        {"$dtype": ["f8"]},
        {"$device": "toaster"},
        {"$bytes": "?"},
    ],
)
def test_hostile_state(value: object) -> None:
    with pytest.raises(CheckpointError, match="state: cannot read"):
        state_tree.decode(value)


def test_tensors_come_back_as_tensors(store: CheckpointStore) -> None:
    slots = {"state": {0: {"exp_avg": tensor([1.0, 2.0])}}}
    store.save(1, {"w": tensor([3.0], requires_grad=True)}, slots, {"best": tensor(0.5)})
    found = store.load()
    assert found.model["w"].tolist() == [3.0]
    assert found.optim["state"][0]["exp_avg"].tolist() == [1.0, 2.0]
    assert found.state["best"].item() == 0.5


# Which checkpoint is found, and which are kept


def test_keeps_the_newest(store: CheckpointStore) -> None:
    for step in (1, 2, 10, 3, 100_000_000):
        save(store, step)
    assert names(store) == ["step-00000003", "step-100000000"]
    assert store.latest() == 100_000_000
    assert store.load(3).state == {"step": 3}


def test_going_back_to_an_earlier_step(store: CheckpointStore) -> None:
    for step in (10, 20, 5):
        save(store, step)
    assert store.latest() == 5, "the newest is the one last saved, whatever its number"
    save(store, 6)
    assert names(store) == ["step-00000005", "step-00000006"]


def test_same_step_again(store: CheckpointStore) -> None:
    save(store, 1)
    store.save(1, {"w": np.zeros(1)}, {}, "second")
    assert store.load(1).state == "second"
    assert names(store) == ["step-00000001"]


def test_keep_is_at_least_two(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="keep is 1; at least 2"):
        CheckpointStore(tmp_path, keep=1)


def test_nothing_there(store: CheckpointStore) -> None:
    assert store.latest() is None
    with pytest.raises(CheckpointError, match="no sound checkpoint"):
        store.load()
    with pytest.raises(CheckpointError, match="step-00000004"):
        store.load(4)


@pytest.mark.parametrize("file", ["model.safetensors", "optim.safetensors", "state.json", "manifest.json"])
@pytest.mark.parametrize("how", ["flip", "cut", "grow", "remove", "link", "foreign"])
def test_damaged_checkpoint_is_passed_over(store: CheckpointStore, file: str, how: str, tmp_path: Path) -> None:
    save(store, 1)
    path = save(store, 2) / file
    data = path.read_bytes()
    path.unlink()
    {
        "flip": lambda: path.write_bytes(bytes([data[0] ^ 1]) + data[1:]),
        "cut": lambda: path.write_bytes(data[:-1]),
        "grow": lambda: path.write_bytes(data + b"\n"),
        "remove": lambda: None,
        "link": lambda: ((tmp_path / "data").write_bytes(data), path.symlink_to(tmp_path / "data")),
        "foreign": lambda: path.write_bytes((store.folder / "step-00000001" / file).read_bytes() + b" "),
    }[how]()
    with pytest.warns(UserWarning, match=f"passed over.*step-00000002.*{file}"):
        assert store.load().step == 1
    with pytest.warns(UserWarning, match=file):
        assert store.latest() == 1
    with pytest.raises(CheckpointError, match=f"step-00000002.*{file}"):
        store.load(2)


@pytest.mark.filterwarnings("ignore:checkpoint passed over.*step-00000002")
def test_damaged_one_does_not_push_out_a_sound_one(store: CheckpointStore) -> None:
    save(store, 1)
    damage(save(store, 2) / "model.safetensors")
    with pytest.warns(UserWarning, match="step-00000002"):
        save(store, 3)
    damage(store.folder / "step-00000003" / "state.json")
    with pytest.warns(UserWarning, match="step-00000003"):
        assert store.load().step == 1


def test_every_byte_of_a_checkpoint_counts(store: CheckpointStore) -> None:
    folder = save(store, 1)
    rng = np.random.default_rng(1)
    for path in folder.iterdir():
        good = path.read_bytes()
        for at in rng.permutation(len(good))[:150]:
            damage(path, at)
            with pytest.raises(CheckpointError, match="step-00000001"):
                store.load(1)
            path.write_bytes(good)
    assert store.load(1).step == 1


def test_renamed_checkpoint_is_refused(store: CheckpointStore) -> None:
    save(store, 1).rename(store.folder / "step-00000002")
    with pytest.raises(CheckpointError, match="of step 1: not this folder's"):
        store.load(2)


@pytest.mark.parametrize(
    "change",
    [
        {"step": "1"},
        {"step": [1]},
        {"sequence": "1"},
        {"sequence": None},
        {"format": 2},
        {"files": {}},
        {"files": 3},
        {"files": {"model.safetensors": 3, "optim.safetensors": None, "state.json": []}},
        {"files": {"../model.safetensors": {}}},
    ],
)
def test_hostile_manifest(store: CheckpointStore, change: dict[str, object]) -> None:
    path = save(store, 1) / "manifest.json"
    path.write_bytes(serialize.encode_json(serialize.load_json(path) | change))
    with pytest.raises(CheckpointError, match="step-00000001"):
        store.load(1)
    with pytest.warns(UserWarning, match="passed over"), pytest.raises(CheckpointError, match="no sound"):
        store.load()


def test_linked_checkpoint_is_refused(store: CheckpointStore) -> None:
    save(store, 1).rename(store.folder / "elsewhere")
    (store.folder / "step-00000001").symlink_to("elsewhere")
    with pytest.raises(CheckpointError, match="symbolic link"):
        store.load(1)


def test_leftovers_are_cleaned_and_other_files_stay(store: CheckpointStore) -> None:
    save(store, 1)
    (store.folder / ".tmp-step-00000002-0123").mkdir()
    (store.folder / ".tmp-step-00000002-0123" / "model.safetensors").touch()
    (store.folder / "metrics.csv").touch()
    (store.folder / "step-00000001").rename(store.folder / "step-00000001.old")
    assert store.load().step == store.load(1).step == 1
    save(store, 2)
    assert names(store) == ["metrics.csv", "step-00000001", "step-00000002"]
