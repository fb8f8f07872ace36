"""The loader: order, resumption, prefetching."""

from __future__ import annotations

import json
import threading
from typing import Any

import numpy as np
import pytest

from autograd_cnn.data import (
    DataLoader,
    Dataset,
    ImageDataset,
    TensorDataset,
    transforms,
)
from autograd_cnn.data.order import permutation
from autograd_cnn.errors import (
    ArgumentError,
    StateDictError,
)
from autograd_cnn.random import Generator, manual_seed


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
        ({"num_workers": -1}, "num_workers is -1"),
        ({"num_workers": 1.5}, "num_workers is 1.5"),
        ({"batch_size": "2"}, "batch_size is '2'"),
        ({"timeout": 1}, "timeout is an option of worker processes"),
        ({"prefetch_factor": 2}, "prefetch_factor is an option of worker processes"),
        ({"persistent_workers": True}, "persistent_workers is an option"),
        ({"num_workers": 1, "timeout": -1}, "timeout is -1"),
        ({"num_workers": 1, "prefetch_factor": 0}, "prefetch_factor is 0"),
        ({"num_workers": 1, "prefetch": 1}, "give one of the two"),
        ({"num_workers": 1, "multiprocessing_context": "fork"}, "'fork', after which kernels cannot run"),
        ({"num_workers": 1, "multiprocessing_context": "spoon"}, "'spoon'; here there is"),
        ({"sampler": [0], "shuffle": True}, "sampler or shuffle"),
        ({"batch_sampler": [[0]], "batch_size": 2}, "batch_sampler excludes"),
        ({"batch_sampler": [[0]], "drop_last": True}, "batch_sampler excludes"),
        ({"batch_size": None, "drop_last": True}, "no last batch"),
        ({"prefetch": -1}, "prefetch is -1"),
        ({"seed": 1, "generator": Generator()}, "not both"),
    ],
)
def test_wrong_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        DataLoader(numbers(3), **options)
