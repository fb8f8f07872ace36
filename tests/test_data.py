"""Data sets, splits and collation."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

from autograd_cnn.creation import tensor
from autograd_cnn.data import (
    XOR,
    ConcatDataset,
    DataLoader,
    Digits,
    ImageDataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
    stratified_split,
)
from autograd_cnn.errors import (
    ArgumentError,
    DTypeError,
    IndexOutOfRangeError,
    MissingDependencyError,
    ShapeError,
)
from autograd_cnn.random import Generator
from autograd_cnn.tensor import Tensor

Pair = namedtuple("Pair", "x y")


def numbers(n: int) -> TensorDataset:
    return TensorDataset(np.arange(n))


def order(loader: Any) -> list[list[int]]:
    return [batch.tolist() for (batch,) in loader]


def as_bytes(batches: Any) -> list[bytes]:
    return [b"".join(np.asarray(part).tobytes() for part in batch) for batch in batches]


# Data sets


def test_whole_batches_skip_the_single_items(monkeypatch: pytest.MonkeyPatch) -> None:
    images = ImageDataset(np.arange(16, dtype=np.uint8).reshape(4, 2, 2), [0, 1, 0, 1], "ab")
    expected = default_collate([images[i] for i in (2, 0)])

    def forbidden(self: Any, index: int) -> None:
        raise AssertionError("one by one")

    monkeypatch.setattr(ImageDataset, "__getitem__", forbidden)
    found = Subset(images, [3, 2, 0]).take_batch(np.array([1, 2]))
    assert as_bytes([found]) == as_bytes([expected])
    assert [part.dtype for part in found] == [np.float32, np.int64]
    monkeypatch.setattr(TensorDataset, "__getitem__", forbidden)
    assert order(DataLoader(numbers(3), 2)) == [[0, 1], [2]]


def test_a_subclass_that_gives_other_samples_is_asked_for_them() -> None:
    class Doubled(TensorDataset):
        def __getitem__(self, index: int) -> Any:
            return (2 * int(self.tensors[0].numpy()[index]),)

    assert order(DataLoader(Doubled(np.arange(3)), 3)) == [[0, 2, 4]]


def test_data_sets_that_are_no_dataset() -> None:
    class Batched:
        def __len__(self) -> int:
            return 4

        def __getitems__(self, indices: list[int]) -> list[int]:
            return [index * 10 for index in indices]

    assert [batch.tolist() for batch in DataLoader([5, 6, 7], 2)] == [[5, 6], [7]]
    assert [batch.tolist() for batch in DataLoader(Batched(), 3)] == [[0, 10, 20], [30]]
    assert list(DataLoader("abc", 2)) == [["a", "b"], ["c"]]


def test_collate_fn_gets_the_samples() -> None:
    assert list(DataLoader(numbers(3), 2, collate_fn=len)) == [2, 1]


def test_concat() -> None:
    both = numbers(2) + ConcatDataset([numbers(0), numbers(3)])
    assert [int(x) for (x,) in both] == [0, 1, 0, 1, 2]
    assert int(both[-1][0]) == 2
    with pytest.raises(IndexOutOfRangeError, match="index 5 in 5"):
        both[5]


def test_subset_out_of_range() -> None:
    with pytest.raises(IndexOutOfRangeError, match="index 3 in a data set of 3"):
        Subset(numbers(3), [0, 3])


def test_tensor_dataset_checks() -> None:
    with pytest.raises(ShapeError, match=r"lengths \[2, 3\]"):
        TensorDataset(np.zeros(2), np.zeros(3))
    with pytest.raises(ArgumentError, match="requires grad"):
        TensorDataset(tensor([1.0], requires_grad=True))


def test_xor() -> None:
    ((points, targets),) = DataLoader(XOR(), batch_size=4)
    assert (points.dtype, targets.dtype) == (np.float32, np.int64)
    assert targets.tolist() == [int(a) ^ int(b) for a, b in points.tolist()]


# Splits


def test_random_split() -> None:
    parts = random_split(numbers(100), [70, 20, 10], Generator().manual_seed(1))
    again = random_split(numbers(100), [0.7, 0.2, 0.1], Generator().manual_seed(1))
    assert [part.indices.tolist() for part in parts] == [part.indices.tolist() for part in again]
    assert sorted(np.concatenate([part.indices for part in parts])) == list(range(100))
    assert parts[0].indices.tolist() != sorted(parts[0].indices)


@pytest.mark.parametrize("lengths", [[50, 49], [0.5, 0.4], [101, -1], [1.5, -0.5], []])
def test_lengths_that_do_not_add_up(lengths: list[float]) -> None:
    with pytest.raises(ArgumentError, match="add up to neither 1 nor 100"):
        random_split(numbers(100), lengths)


def test_stratified_split_keeps_proportions() -> None:
    targets = np.repeat([4, 7, 9], [500, 37, 3])
    parts = stratified_split(numbers(540), [0.6, 0.2, 0.2], np.random.default_rng(0), targets=targets)
    assert sorted(np.concatenate([part.indices for part in parts])) == list(range(540))
    for part, share in zip(parts, (0.6, 0.2, 0.2), strict=True):
        for label, count in ((4, 500), (7, 37), (9, 3)):
            assert abs((targets[part.indices] == label).sum() - share * count) <= 1
    with pytest.raises(ShapeError, match="stratified_split"):
        stratified_split(numbers(3), [1.0], targets=[1, 2])


def test_digits() -> None:
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn")
    from sklearn.datasets import load_digits

    train, test = Digits(), Digits(train=False)
    assert (len(train), len(test)) == (1438, 359)
    everything = {(image.tobytes(), int(t)) for part in (train, test) for image, t in zip(
        part.data.numpy(), part.targets.numpy(), strict=True)}  # fmt: skip
    source = load_digits()
    assert everything == {
        ((image / 16).astype(np.float32).tobytes(), int(t))
        for image, t in zip(source.images, source.target, strict=True)
    }
    assert np.bincount(test.targets.numpy()).min() >= 34
    assert test.targets.numpy()[:8].tolist() == DIGITS_HELD_OUT, "every machine holds out the same images"
    image, target = Digits(size=32)[0]
    assert (image.shape, image.dtype, type(target)) == ((1, 32, 32), np.float32, int)
    assert Digits(size=(28, 30)).data.shape == (1438, 1, 28, 30)


DIGITS_HELD_OUT = [3, 5, 1, 4, 6, 9, 7, 0]


def test_digits_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "autograd_cnn\[examples\]"'):
        Digits()


# Collation


SAMPLES: list[list[Any]] = [
    [1, 2],
    [True, False],
    [0.1, 2.0],
    [np.float32(1), np.float32(2)],
    [np.int64(3), np.int64(4)],
    [np.zeros((2, 1), np.float32), np.ones((2, 1), np.float32)],
    [np.array(1), np.array(2)],
    ["a", "b"],
    [b"a", b"b"],
    [(1, "x", 0.5), (2, "y", 1.5)],
    [[np.zeros(1), 1], [np.ones(1), 2]],
    [{"x": 1, "y": {"z": (2.0,)}}, {"x": 3, "y": {"z": (4.0,)}}],
    [Pair(1, 2.0), Pair(3, 4.0)],
]


@pytest.mark.parametrize("batch", SAMPLES, ids=lambda batch: repr(batch[0])[:20])
def test_collate_agrees_with_torch(batch: list[Any]) -> None:
    torch_data = pytest.importorskip("torch.utils.data", reason="compares with PyTorch")
    expected = torch_data.default_collate(batch)
    assert_alike(default_collate(batch), expected)


def assert_alike(found: Any, expected: Any) -> None:
    if isinstance(found, Tensor):
        assert str(expected.dtype) == f"torch.{found.dtype}"
        assert found.tolist() == expected.tolist()
    elif isinstance(found, dict):
        assert list(found) == list(expected)
        for key in found:
            assert_alike(found[key], expected[key])
    elif isinstance(found, list | tuple) and not isinstance(found, str):
        assert type(found) is type(expected)
        for one, other in zip(found, expected, strict=True):
            assert_alike(one, other)
    else:
        assert found == expected


def test_collate_of_tensors() -> None:
    found = default_collate([tensor([1.0, 2.0]), tensor([3.0, 4.0])])
    assert found.tolist() == [[1.0, 2.0], [3.0, 4.0]]


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        ([np.zeros(2), np.zeros(3)], ShapeError, r"sample 1 has shape \(3,\), sample 0 \(2,\)"),
        ([(1,), (1, 2)], ShapeError, r"different lengths, \[1, 2\]"),
        ([object()], DTypeError, "not object"),
        ([None], DTypeError, "not NoneType"),
        ([], ShapeError, "empty"),
    ],
)
def test_collate_errors(batch: list[Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        default_collate(batch)
