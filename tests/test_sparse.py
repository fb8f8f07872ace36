"""Sparse matrices beside PyTorch's: values, gradients, forms."""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.sparse import SparseTensor

CHECKED = {"check_invariants": True}  # PyTorch warns where it does not check
RNG = np.random.default_rng(0)


def entries(shape: tuple[int, ...], nnz: int, repeat: bool = True, rest: tuple[int, ...] = ()) -> tuple[Any, Any]:
    if repeat or not nnz:
        positions = np.stack([RNG.integers(0, n, nnz) for n in shape]).astype(np.int64)
    else:
        flat = np.sort(RNG.choice(int(np.prod(shape)), nnz, replace=False))
        positions = np.stack(np.unravel_index(flat, shape)).astype(np.int64)
    return positions, RNG.standard_normal((nnz, *rest))


def both(torch: ModuleType, positions: Any, values: Any, size: Any = None) -> list[Any]:
    made = []
    for package in (ag, torch):
        numbers = package.tensor(values, requires_grad=True)
        made.append((package.sparse_coo_tensor(package.tensor(positions), numbers, size, **CHECKED), numbers))
    return made


def close(mine: Any, theirs: Any) -> None:
    assert tuple(mine.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("n", "m", "p", "nnz"), [(4, 3, 2, 7), (1, 1, 1, 1), (5, 6, 1, 0), (3, 4, 0, 5), (30, 20, 9, 900)]
)
@pytest.mark.parametrize("repeat", [True, False])
def test_products_and_their_gradients(n: int, m: int, p: int, nnz: int, repeat: bool, torch: ModuleType) -> None:
    nnz = nnz if repeat else min(nnz, n * m)
    positions, values = entries((n, m), nnz, repeat)
    dense, weight = RNG.standard_normal((m, p)), RNG.standard_normal((n, p))
    results = []
    for package, (sparse, numbers) in zip((ag, torch), both(torch, positions, values, (n, m)), strict=True):
        x = package.tensor(dense, requires_grad=True)
        y = package.sparse.mm(sparse, x)
        (y * package.tensor(weight)).sum().backward()
        results.append((y, numbers.grad, x.grad))
    for mine, theirs in zip(*results, strict=True):
        close(mine, theirs)
    sparse, _ = both(torch, positions, values, (n, m))[0]
    x = ag.tensor(dense)
    for same in (ag.spmm(sparse, x), sparse @ x, sparse.mm(x), sparse.to_dense() @ x, sparse.coalesce() @ x):
        np.testing.assert_allclose(same.detach().numpy(), results[0][0].detach().numpy(), rtol=1e-10, atol=1e-12)
    if p:
        close(sparse @ x[:, 0], results[1][0][:, 0])
    close(sparse.t() @ ag.tensor(weight), sparse.to_dense().t() @ ag.tensor(weight))


def test_second_derivatives() -> None:
    positions, values = entries((3, 4), 6)
    x, v = ag.tensor(RNG.standard_normal((4, 2)), requires_grad=True), ag.tensor(values, requires_grad=True)

    def product(v: Any, x: Any) -> Any:
        return ag.sparse_coo_tensor(positions, v, (3, 4)).coalesce() @ x

    assert ag.autograd.gradcheck(product, [v, x])
    assert ag.autograd.gradgradcheck(product, [v, x])


@pytest.mark.parametrize(
    ("shape", "nnz", "rest"), [((4, 3), 9, ()), ((5,), 7, ()), ((2, 3, 4), 8, ()), ((3, 2), 5, (2,)), ((3, 0), 0, ())]
)
def test_forms(shape: tuple[int, ...], nnz: int, rest: tuple[int, ...], torch: ModuleType) -> None:
    positions, values = entries(shape, nnz, rest=rest)
    (mine, my_numbers), (theirs, their_numbers) = both(torch, positions, values, (*shape, *rest))
    for name in ("sparse_dim", "dense_dim", "_nnz", "is_coalesced", "dim"):
        assert getattr(mine, name)() == getattr(theirs, name)()
    assert (mine.shape, mine.ndim, mine.size(0)) == (tuple(theirs.shape), theirs.ndim, theirs.size(0))
    close(mine.to_dense(), theirs.to_dense())
    sorted_, sorted_theirs = mine.coalesce(), theirs.coalesce()
    close(sorted_.indices(), sorted_theirs.indices())
    close(sorted_.values(), sorted_theirs.values())
    assert sorted_.is_coalesced()
    weights = ag.tensor(RNG.standard_normal(sorted_.values().shape))
    (sorted_.values() * weights).sum().backward()
    (sorted_theirs.values() * torch.tensor(weights.numpy())).sum().backward()
    close(my_numbers.grad, their_numbers.grad)
    close((2 * mine - mine / 4 + -mine).to_dense(), (2 * theirs - theirs / 4 + -theirs).to_dense())
    close(ag.sparse.sum(mine), torch.sparse.sum(theirs))
    if len(shape) > 1:
        close(mine.transpose(0, 1).to_dense(), theirs.transpose(0, 1).to_dense())
        close(ag.sparse.sum(mine, 0).to_dense(), torch.sparse.sum(theirs, 0).to_dense())


def test_to_sparse_and_back(torch: ModuleType) -> None:
    array = RNG.standard_normal((4, 5)) * (RNG.random((4, 5)) < 0.4)
    x, y = ag.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)
    mine, theirs = x.to_sparse(), y.to_sparse()
    close(mine.indices(), theirs.indices())
    close(mine.values(), theirs.values())
    (mine.values() ** 2).sum().backward()
    (theirs.coalesce().values() ** 2).sum().backward()
    close(x.grad, y.grad)
    assert ag.equal(mine.to_dense(), x)
    assert x.to_dense() is x
    assert mine.to_sparse() is mine
    assert ag.zeros(3).to_sparse()._nnz() == 0


def test_a_leaf_has_a_sparse_gradient(torch: ModuleType) -> None:
    positions, values = entries((3, 4), 5, repeat=False)
    grads = []
    for package in (ag, torch):
        numbers = package.tensor(values)
        leaf = package.sparse_coo_tensor(package.tensor(positions), numbers, (3, 4), requires_grad=True, **CHECKED)
        assert leaf.grad is None
        package.sparse.mm(leaf, package.ones(4, 2, dtype=package.float64)).sum().backward()
        grads.append(leaf.grad.to_dense())
        assert not numbers.requires_grad
    close(*grads)
    assert not leaf.detach().requires_grad


def test_sizes_are_found_and_may_stand_alone(torch: ModuleType) -> None:
    mine, theirs = (package.sparse_coo_tensor([[0, 4], [2, 1]], [1.0, 2.0], **CHECKED) for package in (ag, torch))
    assert mine.shape == tuple(theirs.shape) == (5, 3)
    alone = ag.sparse_coo_tensor((3, 4))
    assert (alone.shape, alone._nnz()) == ((3, 4), 0)
    assert ag.equal(alone.to_dense(), ag.zeros(3, 4))
    close(ag.sparse.addmm(ag.ones(5, 1), mine, ag.ones(3, 1), beta=2.0, alpha=3.0),
          torch.sparse.addmm(torch.ones(5, 1), theirs, torch.ones(3, 1), beta=2.0, alpha=3.0))  # fmt: skip


PLACES = [[0, 1], [2, 0]]
WRONG = [
    (lambda: ag.sparse_coo_tensor([0, 1], [1.0, 2.0]), ShapeError, "needs indices"),
    (lambda: ag.sparse_coo_tensor(PLACES, [1.0]), ShapeError, r"got \[2, 2\] and \[1\]"),
    (lambda: ag.sparse_coo_tensor(PLACES, 1.0), ShapeError, "needs indices"),
    (lambda: ag.sparse_coo_tensor(PLACES, [1.0, 2.0], (2,)), ShapeError, r"size \[2\] does not fit"),
    (lambda: ag.sparse_coo_tensor(PLACES, [[1.0], [2.0]], (2, 3, 2)), ShapeError, "does not fit"),
    (
        lambda: ag.sparse_coo_tensor(PLACES, [1.0, 2.0], (2, 2)),
        IndexOutOfRangeError,
        "index 2 of value 0 .*dimension 1, ",
    ),
    (lambda: ag.sparse_coo_tensor([[-1]], [1.0], (2,)), IndexOutOfRangeError, "index -1"),
    (lambda: ag.sparse_coo_tensor([[0.5]], [1.0], (2,)), DTypeError, "must be integers"),
    (lambda: ag.sparse.mm(ag.eye(2).to_sparse(), ag.ones(3, 2)), ShapeError, r"\[2, 2\] and \[3, 2\]"),
    (lambda: ag.sparse.mm(ag.eye(2).to_sparse(), ag.ones(2)), ShapeError, "do not fit"),
    (lambda: ag.sparse.mm(ag.eye(2), ag.eye(2)), DTypeError, "a sparse and a dense"),
    (lambda: ag.sparse.mm(ag.eye(2).to_sparse(), ag.eye(2).double()), DTypeError, "float32, mat2 float64"),
    (lambda: ag.sparse_coo_tensor(PLACES, [1.0, 2.0]).values(), ArgumentError, "coalesce"),
    (lambda: ag.sparse_coo_tensor(PLACES, [1.0, 2.0]).indices(), ArgumentError, "coalesce"),
    (lambda: ag.eye(2).to_sparse() * ag.eye(2), DTypeError, "takes a number"),
    (lambda: ag.eye(2).to_sparse() + 1, DTypeError, "to_dense"),
    (lambda: ag.eye(2).to_sparse() + ag.eye(3).to_sparse(), ShapeError, r"\[2, 2\] and \[3, 3\]"),
    (lambda: ag.eye(2).to_sparse().transpose(0, 2), IndexOutOfRangeError, "dims 0 and 2"),
    (lambda: ag.zeros(2).to_sparse().t(), ShapeError, "takes a matrix"),
    (lambda: np.asarray(ag.eye(2).to_sparse()), TypeError, "to_dense"),
]


@pytest.mark.parametrize(("call", "error", "message"), WRONG, ids=range(len(WRONG)))
def test_what_is_refused(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_signatures_and_types(torch: ModuleType) -> None:
    import torch._C  # the signature is only in the docstring

    doc = (torch.sparse_coo_tensor.__doc__ or "").partition(")")[0]
    named = [part.split("=")[0].strip() for part in doc.partition("(")[2].split(",") if part.strip() != "*"]
    assert list(inspect.signature(ag.sparse_coo_tensor).parameters) == named
    x = ag.eye(2).to_sparse()
    assert isinstance(x, SparseTensor)
    assert x.double().dtype == x.to(ag.float64).dtype == ag.float64
    assert x.double().float().cpu().dtype == ag.float32
    assert (x.device.type, len(x)) == ("cpu", 2)


def test_a_graph_network_learns_as_pytorchs(torch: ModuleType) -> None:
    n = 12
    links = np.stack([np.arange(n), (np.arange(n) + 1) % n])
    links = np.concatenate([links, links[::-1], np.stack([np.arange(n)] * 2)], 1)
    features, labels = RNG.standard_normal((n, 5)).astype(np.float32), np.arange(n) % 3
    start = [RNG.standard_normal(s).astype(np.float32) for s in ((5, 8), (8, 3))]
    losses, first = [], 0.0
    for package in (ag, torch):
        graph = package.sparse_coo_tensor(package.tensor(links), package.ones(links.shape[1]) / 3, (n, n), **CHECKED)
        weights = [package.tensor(w, requires_grad=True) for w in start]
        optimizer = package.optim.SGD(weights, lr=0.5)
        for step in range(20):
            hidden = package.relu(package.spmm(graph, package.tensor(features) @ weights[0]))
            scores = package.spmm(graph, hidden @ weights[1])
            loss = package.nn.functional.cross_entropy(scores, package.tensor(labels))
            first = loss.item() if step == 0 else first
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert losses[0] < first
