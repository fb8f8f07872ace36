"""Samplers and the data sets that join others: what they give, beside PyTorch's, and what they refuse."""

from __future__ import annotations

import inspect
from collections import Counter, namedtuple
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import data
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.random import Generator

Pair = namedtuple("Pair", "x y")


class Count(data.IterableDataset[int]):
    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.n))

    def __len__(self) -> int:
        return self.n


def seeded(seed: int = 1) -> Generator:
    return Generator().manual_seed(seed)


@pytest.mark.parametrize("count", [None, 3, 10, 25])
def test_without_replacement_every_round_is_an_order(count: int | None) -> None:
    sampler = data.RandomSampler(range(10), num_samples=count, generator=seeded())
    found = list(sampler)
    assert len(found) == len(sampler) == (count or 10)
    for start in range(0, len(found), 10):
        part = found[start : start + 10]
        assert len(set(part)) == len(part)
    assert found == list(data.RandomSampler(range(10), num_samples=count, generator=seeded()))
    assert found != list(sampler), "another order each time"


def test_with_replacement_all_are_as_likely() -> None:
    counts = Counter(data.RandomSampler(range(5), True, 5000, seeded()))
    assert sorted(counts) == list(range(5))
    assert min(counts.values()) > 850


def test_weights_are_probabilities() -> None:
    weights = [0.1, 0.0, 0.6, 0.3]
    counts = Counter(data.WeightedRandomSampler(weights, 10_000, generator=seeded()))
    assert counts[1] == 0
    assert [counts[i] / 10_000 for i in (0, 2, 3)] == pytest.approx([0.1, 0.6, 0.3], abs=0.02)
    first = Counter(next(iter(data.WeightedRandomSampler(weights, 3, False, seeded(i)))) for i in range(4000))
    assert [first[i] / 4000 for i in (0, 2, 3)] == pytest.approx([0.1, 0.6, 0.3], abs=0.03)
    pairs = Counter(tuple(data.WeightedRandomSampler([1, 2, 3], 2, False, seeded(i))) for i in range(6000))
    # After 2 of weight 3 there is 0 of weight 1 or 1 of weight 2.
    assert pairs[2, 1] / 6000 == pytest.approx(3 / 6 * 2 / 3, abs=0.03)
    assert pairs[0, 2] / 6000 == pytest.approx(1 / 6 * 3 / 5, abs=0.03)
    tensor = data.WeightedRandomSampler(ag.tensor(weights), 2)
    assert (len(tensor), tensor.weights.tolist()) == (2, ag.tensor(weights).tolist())


@pytest.mark.parametrize("drop", [True, False])
@pytest.mark.parametrize("size", [1, 3, 4, 20])
def test_batches_of_indices_as_pytorchs(size: int, drop: bool, torch: ModuleType) -> None:
    mine = data.BatchSampler(data.SequentialSampler(range(12)), size, drop)
    theirs = torch.utils.data.BatchSampler(torch.utils.data.SequentialSampler(range(12)), size, drop)
    assert list(mine) == list(theirs)
    assert len(mine) == len(theirs)
    assert list(data.BatchSampler((i for i in "abcde"), 2, False)) == [["a", "b"], ["c", "d"], ["e"]]


def test_loaders_go_by_their_samplers() -> None:
    numbers = data.TensorDataset(np.arange(10))
    loader = data.DataLoader(numbers, 2, sampler=data.SubsetRandomSampler([3, 5, 8], seeded()))
    assert sorted(int(i) for (b,) in loader for i in b) == [3, 5, 8]
    assert len(loader) == 2
    assert isinstance(loader.sampler, data.SubsetRandomSampler)
    assert isinstance(data.DataLoader(numbers, shuffle=True).sampler, data.RandomSampler)
    assert isinstance(data.DataLoader(numbers).batch_sampler, data.BatchSampler)
    weighted = data.DataLoader(numbers, 4, sampler=data.WeightedRandomSampler([0] * 9 + [1], 6))
    assert [b.tolist() for (b,) in weighted] == [[9] * 4, [9] * 2]
    assert [b.tolist() for b in data.DataLoader(Count(5), 2, drop_last=True)] == [[0, 1], [2, 3]]
    assert len(data.DataLoader(Count(5), 2)) == 3
    assert [int(x) for x in data.DataLoader(Count(3), None)] == [0, 1, 2]
    with pytest.raises(TypeError):
        len(data.DataLoader(type("Endless", (data.IterableDataset,), {})()))


def test_a_sampler_without_a_generator_resumes_with_its_loader() -> None:
    numbers = data.TensorDataset(np.arange(30))

    def loader(seed: int | None = None) -> data.DataLoader:
        sampler = data.WeightedRandomSampler(np.ones(30), 20)
        return data.DataLoader(numbers, 3, sampler=sampler, seed=seed)

    whole = loader(4)
    expected = [[b.tolist() for (b,) in whole] for _ in range(2)]
    assert expected[0] != expected[1]
    running = loader(4)
    batches = iter(running)
    next(batches), next(batches)
    other = loader()
    other.load_state_dict(running.state_dict())
    assert [b.tolist() for (b,) in other] == expected[0][2:]
    assert [b.tolist() for (b,) in other] == expected[1]
    stream = data.DataLoader(Count(7), 2, seed=1)
    next(iter(stream))
    state = stream.state_dict()
    stream = data.DataLoader(Count(7), 2)
    stream.load_state_dict(state)
    assert [b.tolist() for b in stream] == [[2, 3], [4, 5], [6]]


def test_joined_data_sets(torch: ModuleType) -> None:
    for stacked in ({"a": [1, 2], "b": [3, 4]}, ([1, 2], [3, 4])):
        keywords, positions = (stacked, ()) if isinstance(stacked, dict) else ({}, stacked)
        mine = data.StackDataset(*positions, **keywords)
        theirs = torch.utils.data.StackDataset(*positions, **keywords)
        assert [mine[i] for i in range(2)] == [theirs[i] for i in range(2)]
        assert len(mine) == len(theirs)
    chain = data.ChainDataset([Count(2), Count(3)])
    assert (list(chain), len(chain)) == ([0, 1, 0, 1, 2], 5)
    assert isinstance(Count(1) + Count(1), data.ChainDataset)
    assert data.ConcatDataset([range(2), range(3)]).cumulative_sizes == [2, 5]


@pytest.mark.parametrize(
    "sample",
    [
        3, 1.5, True, "text", b"bytes", None, np.arange(3), np.float32(2), {"a": np.ones(1), "b": [1, "x"]},
        (1, np.zeros(2)), [np.int64(3), None], Pair(np.ones(2), "y"), np.array(["a"]),
    ],
    ids=repr,
)  # fmt: skip
def test_default_convert_as_pytorchs(sample: Any, torch: ModuleType) -> None:
    assert plain(data.default_convert(sample)) == plain(torch.utils.data.default_convert(sample))


def plain(value: Any) -> Any:
    """Without tensors, and with the names of types."""
    if hasattr(value, "tolist"):
        return "tensor" if hasattr(value, "backward") else "array", value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value).__name__, [plain(item) for item in value]
    return type(value).__name__, value


WRONG: list[tuple[Any, type[Exception], str]] = [
    (lambda: data.RandomSampler([1], replacement=1), ArgumentError, "replacement is 1"),  # type: ignore[arg-type]
    (lambda: data.RandomSampler([1], num_samples=0), ArgumentError, "num_samples is 0"),
    (lambda: list(data.RandomSampler([], num_samples=2)), ArgumentError, "empty data set"),
    (lambda: data.WeightedRandomSampler([1], 0), ArgumentError, "num_samples is 0"),
    (lambda: data.WeightedRandomSampler([1, -1], 1), ArgumentError, "at least 0"),
    (lambda: data.WeightedRandomSampler([0.0], 1), ArgumentError, "above 0"),
    (lambda: data.WeightedRandomSampler([float("nan")], 1), ArgumentError, "finite"),
    (lambda: data.WeightedRandomSampler([[1.0]], 1), ArgumentError, "one dimension"),  # type: ignore[list-item]
    (lambda: data.WeightedRandomSampler([1, 0], 2, False), ArgumentError, "1 weights above 0"),
    (lambda: data.BatchSampler([1], 0, False), ArgumentError, "batch_size is 0"),
    (lambda: data.BatchSampler([1], 1, 0), ArgumentError, "drop_last is 0"),  # type: ignore[arg-type]
    (lambda: iter(data.Sampler()), NotImplementedError, "__iter__"),
    (lambda: data.StackDataset(), ArgumentError, "at least one"),
    (lambda: data.StackDataset([1], b=[2]), ArgumentError, "by position or by name"),
    (lambda: data.StackDataset([1], [2, 3]), ShapeError, r"lengths \[1, 2\]"),
    (lambda: data.ConcatDataset([Count(2)]), ArgumentError, "ChainDataset"),
    (lambda: list(data.ChainDataset([[1]])), ArgumentError, "got list"),
    (lambda: data.DataLoader(Count(2), shuffle=True), ArgumentError, "its own order"),
    (lambda: data.DataLoader(Count(2), sampler=[1]), ArgumentError, "its own order"),
    (lambda: len(data.IterableDataset()), TypeError, "__len__"),
    (lambda: Count(2)[0], NotImplementedError, "no indices"),
]


@pytest.mark.parametrize(("make", "error", "message"), WRONG, ids=range(len(WRONG)))
def test_what_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


OURS = {"DataLoader": {"seed", "prefetch"}, "default_collate": set()}
NAMES = (
    "DataLoader RandomSampler WeightedRandomSampler SubsetRandomSampler SequentialSampler BatchSampler Sampler "
    "random_split StackDataset ConcatDataset ChainDataset Subset TensorDataset default_collate default_convert "
    "get_worker_info Dataset IterableDataset"
)


@pytest.mark.parametrize("name", NAMES.split())
def test_signatures_are_pytorchs(name: str, torch: ModuleType) -> None:
    mine, theirs = (inspect.signature(getattr(where, name)).parameters for where in (data, torch.utils.data))
    if name in ("Dataset", "IterableDataset", "Sampler"):
        return
    extra = OURS.get(name, set())
    assert [n for n in mine if n not in extra] == list(theirs)
    for key, parameter in theirs.items():
        assert mine[key].kind == parameter.kind
        if key != "generator":
            assert mine[key].default == parameter.default
