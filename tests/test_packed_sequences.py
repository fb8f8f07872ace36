"""Packing and padding sequences of different lengths, beside PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.gradcheck import gradcheck
from autograd_cnn.nn.utils import rnn

LENGTHS = ([4, 4, 2, 1], [1, 3, 5, 3], [5], [2, 2, 2])


def sequences(lengths, *features):
    rng = np.random.default_rng(0)
    return [rng.standard_normal((length, *features)) for length in lengths]


def same(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert str(a.dtype) == str(b.dtype).removeprefix("torch.")
            np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("features", [(), (2,), (2, 3)], ids=str)
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("as_tensor", [False, True])
def test_packing_and_padding_are_torchs(torch, lengths, features, batch_first, as_tensor):
    import torch.nn.utils.rnn as theirs

    arrays = sequences(lengths, *features)
    enforce = lengths == sorted(lengths, reverse=True)
    ours_padded = rnn.pad_sequence([ag.tensor(a) for a in arrays], batch_first, 0.5)
    theirs_padded = theirs.pad_sequence([torch.tensor(a) for a in arrays], batch_first, 0.5)
    same([ours_padded], [theirs_padded])
    given, other = (ag.tensor(lengths), torch.tensor(lengths)) if as_tensor else (lengths, lengths)
    ours = rnn.pack_padded_sequence(ours_padded, given, batch_first, enforce)
    packed = theirs.pack_padded_sequence(theirs_padded, other, batch_first, enforce)
    same(ours, packed)
    same(rnn.pack_sequence([ag.tensor(a) for a in arrays], enforce), packed)
    for options in ({}, {"padding_value": -1.0, "total_length": 7}):
        same(
            rnn.pad_packed_sequence(ours, batch_first, **options),
            theirs.pad_packed_sequence(packed, batch_first, **options),
        )
    same(rnn.unpack_sequence(ours), theirs.unpack_sequence(packed))
    same(rnn.unpack_sequence(ours), [torch.tensor(a) for a in arrays])


@pytest.mark.parametrize("batch_first", [False, True])
def test_padding_on_the_left_is_torchs(torch, batch_first):
    arrays = sequences((3, 1, 4), 2)
    same(
        [rnn.pad_sequence([ag.tensor(a) for a in arrays], batch_first, 2.0, "left")],
        [torch.nn.utils.rnn.pad_sequence([torch.tensor(a) for a in arrays], batch_first, 2.0, "left")],
    )


def test_an_unsorted_batch_packs_as_torchs_whatever_its_ties(torch):
    lengths = [2, 3, 2, 3, 2]
    ours = rnn.pack_padded_sequence(ag.arange(15).reshape(3, 5), lengths, enforce_sorted=False)
    theirs = torch.nn.utils.rnn.pack_padded_sequence(torch.arange(15).reshape(3, 5), lengths, enforce_sorted=False)
    assert sorted(ours.data.tolist()) == sorted(theirs.data.tolist())
    padded, found = rnn.pad_packed_sequence(ours)
    assert found.tolist() == lengths
    assert [padded[:length, n].tolist() for n, length in enumerate(lengths)] == [
        [5 * t + n for t in range(length)] for n, length in enumerate(lengths)
    ]


def test_gradients_flow_through():
    arrays = [ag.tensor(a, requires_grad=True) for a in sequences((3, 1, 4), 2)]

    def there_and_back(*tensors):
        packed = rnn.pack_sequence(tensors, enforce_sorted=False)
        return rnn.pad_packed_sequence(packed._replace(data=packed.data**2))[0]

    assert gradcheck(there_and_back, arrays)


def test_a_packed_sequence_converts():
    packed = rnn.pack_sequence([ag.tensor([1.0, 2.0]), ag.tensor([3.0])])
    assert packed.double().data.dtype == ag.float64
    assert packed.long().data.tolist() == [1, 3, 2]
    assert packed.to(ag.float32) is packed
    assert isinstance(packed.int(), rnn.PackedSequence)
    assert packed.cpu().data.tolist() == [1.0, 3.0, 2.0]
    assert not packed.is_cuda
    with pytest.raises(RuntimeError):
        packed.cuda()
    again = rnn.PackedSequence((packed.data, packed.batch_sizes), sorted_indices=ag.tensor([1, 0]))
    assert again.unsorted_indices.tolist() == [1, 0]
    assert rnn.invert_permutation(None) is None


ERRORS = [
    (lambda: rnn.pack_padded_sequence(ag.zeros(3, 2), [1, 2]), ArgumentError, r"sorted in decreasing .* got \[1, 2\]"),
    (lambda: rnn.pack_padded_sequence(ag.zeros(3, 2), [2, 0]), ArgumentError, "every length must be at least 1, got 0"),
    (lambda: rnn.pack_padded_sequence(ag.zeros(3, 2), [4, 2]), ShapeError, "input has 3 steps, the longest .* is 4"),
    (lambda: rnn.pack_padded_sequence(ag.zeros(3, 2), [2]), ShapeError, "input has 2 sequences, lengths has 1"),
    (lambda: rnn.pack_padded_sequence(ag.zeros(3, 0), []), ShapeError, "one-dimensional and not empty"),
    (lambda: rnn.pack_padded_sequence(ag.zeros(3), [3]), ShapeError, r"input must be \(T, N, ...\), got shape \[3\]"),
    (lambda: rnn.pack_padded_sequence([1], [1]), DTypeError, "takes a tensor, got list"),
    (lambda: rnn.pad_packed_sequence(ag.zeros(3)), DTypeError, "takes a PackedSequence, got Tensor"),
    (
        lambda: rnn.pad_packed_sequence(rnn.pack_sequence([ag.zeros(3)]), total_length=2),
        ArgumentError,
        "at least that of the longest sequence, 3, got 2",
    ),
    (lambda: rnn.pad_sequence([]), ArgumentError, "at least one sequence"),
    (lambda: rnn.pad_sequence(3), DTypeError, "takes several tensors, got int"),
    (lambda: rnn.pad_sequence([ag.zeros(2), 3]), DTypeError, r"sequences\[1\] must be a tensor, got int"),
    (lambda: rnn.pad_sequence([ag.zeros(2, 2), ag.zeros(2, 3)]), ShapeError, r"sequences\[1\] has \[2, 3\]"),
    (lambda: rnn.pad_sequence([ag.zeros(2)], padding_side="up"), ArgumentError, "'right' or 'left', got 'up'"),
    (lambda: rnn.unpad_sequence(ag.zeros(2, 3), ag.tensor([1, 2])), ShapeError, "3 sequences need as many lengths"),
    (lambda: rnn.PackedSequence(ag.zeros(2)), ArgumentError, "a pair"),
]


@pytest.mark.parametrize(("call", "error", "match"), ERRORS, ids=[match for _, _, match in ERRORS])
def test_errors(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize("sizes", [(1, 2), (2, 0, 1), (3, -1, 1)])
@pytest.mark.parametrize("layer", [nn.RNN, nn.GRU, nn.LSTM])
def test_steps_that_grow_or_are_empty_are_refused(layer, sizes) -> None:
    packed = rnn.PackedSequence(ag.ones(3, 2), ag.tensor(sizes))
    with pytest.raises(ValueError, match="must be at least 1 and not grow"):
        layer(2, 4)(packed)
