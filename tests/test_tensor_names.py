"""Functions of shapes, indices, linear algebra and creation take PyTorch's keywords."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError

CALLS: tuple[Callable[[Any, Any], Any], ...] = (
    lambda t, x: t.reshape(x, shape=(4, 3)),
    lambda t, x: t.flip(x, dims=(0,)),
    lambda t, x: x.flip(dims=[0]),
    lambda t, x: t.permute(x, dims=(1, 0)),
    lambda t, x: x.permute(dims=(1, 0)),
    lambda t, x: t.tile(x, dims=(2, 1)),
    lambda t, x: x.tile(dims=(2, 1)),
    lambda t, x: t.broadcast_to(x, size=(2, 3, 4)),
    lambda t, x: t.transpose(x, dim0=0, dim1=1),
    lambda t, x: t.swapaxes(x, axis0=0, axis1=1),
    lambda t, x: t.swapdims(x, dim0=0, dim1=1),
    lambda t, x: t.movedim(x, source=0, destination=1),
    lambda t, x: t.moveaxis(x, source=0, destination=1),
    lambda t, x: t.squeeze(x, dim=0),
    lambda t, x: t.unsqueeze(x, dim=0),
    lambda t, x: t.flatten(x, start_dim=0, end_dim=1),
    lambda t, x: t.unflatten(x, dim=1, sizes=(2, 2)),
    lambda t, x: t.narrow(x, dim=0, start=1, length=2),
    lambda t, x: t.select(x, dim=0, index=1),
    lambda t, x: t.roll(x, shifts=1, dims=0),
    lambda t, x: t.repeat_interleave(x, repeats=2, dim=0),
    lambda t, x: t.cat(tensors=(x, x), dim=1),
    lambda t, x: t.concat((x, x), dim=-1),
    lambda t, x: t.concatenate((x, x), dim=-1),
    lambda t, x: t.stack(tensors=(x, x), dim=1),
    lambda t, x: t.split(x, split_size_or_sections=2, dim=0),
    lambda t, x: x.split(split_size=2, dim=0),
    lambda t, x: t.split_with_sizes(x, split_sizes=(1, 2), dim=0),
    lambda t, x: t.chunk(x, chunks=2, dim=1),
    lambda t, x: t.unbind(x, dim=1),
    lambda t, x: t.tensor_split(x, sections=2, dim=1),
    lambda t, x: t.tensor_split(x, indices=(1, 2), dim=1),
    lambda t, x: t.hsplit(x, sections=2),
    lambda t, x: t.hsplit(x, indices=(1,)),
    lambda t, x: t.gather(x, dim=0, index=t.zeros((1, 4), dtype=t.int64)),
    lambda t, x: t.gather(x, 0, t.zeros((1, 4), dtype=t.int64), sparse_grad=False),
    lambda t, x: t.scatter(x, dim=0, index=t.zeros((1, 4), dtype=t.int64), src=x),
    lambda t, x: x.scatter(dim=0, index=t.zeros((1, 4), dtype=t.int64), value=3),
    lambda t, x: t.scatter_add(x, dim=0, index=t.zeros((1, 4), dtype=t.int64), src=x),
    lambda t, x: t.scatter_reduce(
        x, dim=0, index=t.zeros((1, 4), dtype=t.int64), src=x, reduce="amax", include_self=False
    ),
    lambda t, x: t.index_select(x, dim=0, index=t.tensor([0])),
    lambda t, x: t.index_add(x, dim=0, index=t.tensor([0]), source=x[:1], alpha=2),
    lambda t, x: t.index_copy(x, dim=0, index=t.tensor([0]), source=x[:1]),
    lambda t, x: t.index_fill(x, dim=0, index=t.tensor([0]), value=2),
    lambda t, x: t.masked_fill(x, mask=x > 2, value=3),
    lambda t, x: t.masked_scatter(x, mask=x > 2, source=x),
    lambda t, x: t.take_along_dim(x, indices=t.zeros((1, 4), dtype=t.int64), dim=0),
    lambda t, x: t.diag(x, diagonal=1),
    lambda t, x: t.diagonal(x, offset=1, dim1=0, dim2=1),
    lambda t, x: t.diag_embed(x, offset=1, dim1=0, dim2=2),
    lambda t, x: t.diagflat(x, offset=1),
    lambda t, x: t.tril(x, diagonal=1),
    lambda t, x: t.tril_indices(row=2, col=3, offset=1, dtype=t.int32),
    lambda t, x: t.triu_indices(row=2, col=3, offset=-1),
    lambda t, x: t.tensor([t.is_tensor(x), t.is_tensor(3)]),
    lambda t, x: t.tensor(x.element_size()),
    lambda t, x: x.unfold(dimension=1, size=2, step=1),
    lambda t, x: x.expand(2, 3, 4),
    lambda t, x: t.matmul(x, other=x.t()),
    lambda t, x: t.mm(x, mat2=x.t()),
    lambda t, x: t.mv(x, vec=x[0]),
    lambda t, x: t.outer(x[0], vec2=x[1]),
    lambda t, x: t.addmm(x[:, :3], mat1=x, mat2=x.t(), beta=2, alpha=3),
    lambda t, x: t.tensordot(a=x, b=x, dims=2),
    lambda t, x: t.cross(x, other=x, dim=0),
    lambda t, x: t.kron(x, other=x),
    lambda t, x: t.inner(x, other=x),
    lambda t, x: t.dot(x[0], tensor=x[0]),
    lambda t, x: t.full(size=(2,), fill_value=3),
    lambda t, x: t.zeros(size=(2,)),
    lambda t, x: t.ones(size=(2,)),
    lambda t, x: t.empty(size=(2,)).zero_(),
    lambda t, x: t.eye(n=2, m=3),
    lambda t, x: t.arange(start=1, end=5, step=2),
    lambda t, x: t.arange(end=5),
    lambda t, x: t.linspace(start=0, end=1, steps=3),
    lambda t, x: t.full_like(x, fill_value=3),
    lambda t, x: x.new_full(size=(2,), fill_value=3),
    lambda t, x: x.new_zeros(size=(2,)),
    lambda t, x: t.rand(size=(2,)).zero_(),
    lambda t, x: t.randn(size=(2,)).zero_(),
    lambda t, x: t.randint(low=3, high=4, size=(2,)),
    lambda t, x: t.randperm(n=1),
    lambda t, x: t.bernoulli(x * 0 + 1),
    lambda t, x: t.multinomial(t.tensor([0.0, 1.0]), num_samples=2, replacement=True),
    lambda t, x: t.normal(mean=3.0, std=0.0, size=(2,)),
    lambda t, x: x.clone().normal_(mean=3, std=0),
    lambda t, x: x.clone().uniform_(3, to=3),
    lambda t, x: t.tensor(data=[1]),
    lambda t, x: x.view_as(other=x),
    lambda t, x: x[0].expand_as(other=x),
    lambda t, x: t.einsum(x, [0, 1], x, [2, 1], [0, 2]),
    lambda t, x: t.meshgrid(x[0], x[1], indexing="xy"),
    lambda t, x: t.atleast_3d(x),
    lambda t, x: x.repeat(repeats=(2, 1)),
    lambda t, x: x[None].squeeze((0,)),
    lambda t, x: x.T,
    lambda t, x: t.tensor(x.size(dim=1)),
    lambda t, x: t.tensor(x.stride(dim=0)),
    lambda t, x: t.tensor(x.numpy(force=True)),
)


@pytest.mark.parametrize("call", CALLS)
def test_keywords_are_pytorchs(call: Callable[[Any, Any], Any], torch: ModuleType) -> None:
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    found, expected = call(ag, ag.tensor(values)), call(torch, torch.tensor(values))
    found, expected = (list(y) if isinstance(y, tuple | list) else [y] for y in (found, expected))
    assert len(found) == len(expected)
    for y, other in zip(found, expected, strict=True):
        assert str(y.dtype) == str(other.dtype).removeprefix("torch.")
        assert y.shape == tuple(other.shape)
        np.testing.assert_allclose(y.numpy(), other.numpy(), rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: ag.zeros(2, size=(3,)), "zeros: size is given twice"),
        (lambda: ag.ones(2, 3).flip(0, dims=(1,)), "flip: dims is given twice"),
        (lambda: ag.ones(4).tensor_split(), "tensor_split: takes either indices or a number of sections"),
        (lambda: ag.ones(4).hsplit(2, sections=2), "hsplit: takes either indices or a number of sections"),
        (lambda: ag.einsum(ag.ones(2), [52]), "lists of numbers from 0 to 51"),
        (lambda: ag.einsum(ag.ones(2), ag.ones(2)), "lists of numbers from 0 to 51"),
        (lambda: ag.gather(ag.ones(2), 0, ag.tensor([0]), sparse_grad=True), "sparse_grad is not there"),
    ],
)
def test_told_twice_or_not_at_all(call: Callable[[], Any], match: str) -> None:
    with pytest.raises(ArgumentError, match=match):
        call()
