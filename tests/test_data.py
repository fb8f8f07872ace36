"""Data sets and the loader: order, resumption, collation, splits."""

from __future__ import annotations

import json
import threading
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

from autograd_cnn.creation import tensor
from autograd_cnn.data import (
    XOR,
    ConcatDataset,
    DataLoader,
    Dataset,
    Digits,
    ImageDataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
    stratified_split,
    transforms,
)
from autograd_cnn.data.order import permutation
from autograd_cnn.errors import (
    ArgumentError,
    DTypeError,
    IndexOutOfRangeError,
    MissingDependencyError,
    ShapeError,
    StateDictError,
)
from autograd_cnn.random import Generator, manual_seed
from autograd_cnn.tensor import Tensor

Pair = namedtuple("Pair", "x y")


def numbers(n: int) -> TensorDataset:
    return TensorDataset(np.arange(n))


def order(loader: Any) -> list[list[int]]:
    return [batch.tolist() for (batch,) in loader]


def augmented(n: int = 20) -> ImageDataset:
    images = np.random.default_rng(0).integers(0, 256, (n, 6, 6), np.uint8)
    crop_and_flip = [
        transforms.RandomCrop(5, padding=1),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
    ]
    return ImageDataset(images, np.arange(n) % 3, "abc", transforms.Compose(crop_and_flip))


def as_bytes(batches: Any) -> list[bytes]:
    return [b"".join(np.asarray(part).tobytes() for part in batch) for batch in batches]


# The loader's order


@pytest.mark.parametrize(
    ("n", "size", "drop", "lengths"),
    [
        (10, 4, False, [4, 4, 2]),
        (10, 4, True, [4, 4]),
        (8, 4, False, [4, 4]),
        (3, 5, True, []),
        (0, 2, False, []),
    ],
)
def test_lengths(n: int, size: int, drop: bool, lengths: list[int]) -> None:
    loader = DataLoader(numbers(n), batch_size=size, drop_last=drop, shuffle=True)
    assert [len(batch) for (batch,) in loader] == lengths
    assert len(loader) == len(lengths)


def test_in_order_without_shuffle() -> None:
    loader = DataLoader(numbers(5), batch_size=2)
    assert order(loader) == order(loader) == [[0, 1], [2, 3], [4]]


def test_shuffle_goes_through_everything_in_another_order_each_epoch() -> None:
    loader = DataLoader(numbers(50), batch_size=8, shuffle=True)
    epochs = [[index for batch in order(loader) for index in batch] for _ in range(3)]
    assert all(sorted(epoch) == list(range(50)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 3


@pytest.mark.parametrize("prefetch", [0, 1, 3])
def test_same_seed_same_batches(prefetch: int) -> None:
    manual_seed(7)
    by_default_generator = DataLoader(numbers(30), 4, True)
    one = [order(by_default_generator) for _ in range(2)]
    manual_seed(7)
    again = DataLoader(numbers(30), 4, True, prefetch=prefetch)
    assert [order(again) for _ in range(2)] == one
    by_generator = DataLoader(numbers(30), 4, True, generator=Generator().manual_seed(7), prefetch=prefetch)
    assert [order(by_generator) for _ in range(2)] == one
    by_seed = [DataLoader(numbers(30), 4, True, seed=3) for _ in range(2)]
    assert order(by_seed[0]) == order(by_seed[1])
    assert order(DataLoader(numbers(30), 4, True, seed=4)) != order(DataLoader(numbers(30), 4, True, seed=3))


def test_permutation_is_one_and_stays_the_same() -> None:
    assert permutation(8, 123, 4).tolist() == [3, 1, 4, 5, 6, 7, 0, 2]
    assert sorted(permutation(1000, 5)) == list(range(1000))
    first = np.array([permutation(6, key)[0] for key in range(3000)])
    assert np.bincount(first).min() > 420, "every index is first about equally often"


# Taking up again


@pytest.mark.parametrize("prefetch", [0, 2])
def test_resume_at_every_step(prefetch: int) -> None:
    def loader() -> DataLoader:
        return DataLoader(augmented(), 3, True, seed=5, prefetch=prefetch)

    whole = loader()
    expected = [as_bytes(whole) for _ in range(3)]
    running = loader()
    for epoch in range(2):
        states = []
        batches = iter(running)
        for _ in range(len(running) + 1):
            states.append(json.loads(json.dumps(running.state_dict())))
            next(batches, None)
        for step, state in enumerate(states):
            other = DataLoader(augmented(), 3, True, prefetch=prefetch)
            other.load_state_dict(state)
            assert as_bytes(other) == expected[epoch][step:]
            assert as_bytes(other) == expected[epoch + 1], "and the epochs after it"


def test_state_after_the_last_batch_and_after_the_epoch() -> None:
    loader = DataLoader(numbers(4), 2, True, seed=1)
    batches = iter(loader)
    next(batches), next(batches)
    assert {k: loader.state_dict()[k] for k in ("epoch", "batch")} == {"epoch": 0, "batch": 2}
    at_end = loader.state_dict()
    assert next(batches, None) is None
    assert {k: loader.state_dict()[k] for k in ("epoch", "batch")} == {"epoch": 1, "batch": 0}
    second = order(loader)
    loader.load_state_dict(at_end)
    assert order(loader) == []
    assert order(loader) == second


def test_breaking_off_begins_the_next_epoch() -> None:
    loader = DataLoader(numbers(12), 2, True, seed=1)
    epochs = [order(loader) for _ in range(3)]
    loader = DataLoader(numbers(12), 2, True, seed=1)
    for _ in loader:
        break
    assert order(loader) == epochs[1]
    for _ in zip(loader, loader, strict=True):
        pass
    assert loader.state_dict()["batch"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"samples": 9}, "samples was 9 when saved, is 10 now"),
        ({"batch_size": 3}, "batch_size was 3"),
        ({"shuffle": False}, "shuffle was False"),
        ({"batch": 6}, "batch 6 of 5"),
        ({"batch": -1}, "batch -1"),
        ({"more": 1}, "the state has"),
    ],
)
def test_wrong_state_changes_nothing(change: dict[str, Any], message: str) -> None:
    loader = DataLoader(numbers(10), 2, True, seed=1)
    next(iter(loader))
    before = loader.state_dict()
    with pytest.raises(StateDictError, match=message):
        loader.load_state_dict(before | {"seed": 99} | change)
    assert loader.state_dict() == before


# Prefetching


def test_prefetch_stays_ahead_and_within_bounds() -> None:
    made: list[int] = []

    class Recording(Dataset):
        def __len__(self) -> int:
            return 10

        def __getitem__(self, index: int) -> int:
            made.append(index)
            return index

    batches = iter(DataLoader(Recording(), prefetch=3))
    next(batches)
    for _ in range(200):
        if len(made) == 4:
            break
        threading.Event().wait(0.01)
    assert made == [0, 1, 2, 3]
    assert [int(batch) for batch in batches] == list(range(1, 10))


def test_prefetch_thread_ends_with_the_loop() -> None:
    before = threading.active_count()
    for _ in DataLoader(numbers(100), prefetch=2):
        break
    assert threading.active_count() == before


@pytest.mark.parametrize("prefetch", [0, 2])
def test_error_in_a_sample_comes_through(prefetch: int) -> None:
    class Broken(Dataset):
        def __len__(self) -> int:
            return 6

        def __getitem__(self, index: int) -> float:
            return 1 / (index - 3)

    seen = []
    with pytest.raises(ZeroDivisionError) as caught:
        seen.extend(DataLoader(Broken(), 2, prefetch=prefetch))
    assert caught.value.__notes__ == ["DataLoader: while making the batch of samples [2, 3]"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0"),
        ({"num_workers": 2}, "num_workers is 2.*prefetch"),
        ({"prefetch": -1}, "prefetch is -1"),
        ({"seed": 1, "generator": Generator()}, "not both"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        DataLoader(numbers(3), **options)


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
