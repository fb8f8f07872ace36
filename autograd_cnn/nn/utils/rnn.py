"""Sequences of different lengths in one batch, packed or padded, and long ones in parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_cnn.creation import as_tensor, from_numpy
from autograd_cnn.dtype import int64
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.ops.join import cat


class _Fields(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any = None
    unsorted_indices: Any = None


class PackedSequence(_Fields):
    """Sequences of different lengths, step by step and without padding; `pack_sequence` makes one.

    `data` (rows, ...) has first the first step of every sequence, then the second one of those that have one, and so
    on, the longest sequence first; `batch_sizes` (T,) tells how many have each step.  Where sequences had to be
    sorted, `sorted_indices` says which one came to each place, and `unsorted_indices` where each one went.

    >>> import autograd_cnn as ag
    >>> packed = pack_sequence([ag.tensor([1, 2, 3]), ag.tensor([4, 5])])
    >>> packed.data.tolist(), packed.batch_sizes.tolist()
    ([1, 4, 2, 5, 3], [2, 2, 1])
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        if batch_sizes is None:
            if not isinstance(data, list | tuple) or len(data) != 2:
                raise ArgumentError("PackedSequence: without batch_sizes, data must be a pair (data, batch_sizes)")
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The same with `data` of another dtype or on another device."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cpu(self) -> PackedSequence:
        return self.to("cpu")

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        return type(self)(self.data.cuda(*args, **kwargs), *self[1:])

    def float(self) -> PackedSequence:
        return type(self)(self.data.float(), *self[1:])

    def double(self) -> PackedSequence:
        return type(self)(self.data.double(), *self[1:])

    def long(self) -> PackedSequence:
        return type(self)(self.data.long(), *self[1:])

    def int(self) -> PackedSequence:
        return type(self)(self.data.int(), *self[1:])

    @property
    def is_cuda(self) -> bool:
        """Whether `data` is on a GPU."""
        return bool(self.data.is_cuda)


def invert_permutation(permutation: Any) -> Any:
    """Where each number stands in a permutation: y[permutation[i]] = i; None for None.

    >>> import autograd_cnn as ag
    >>> invert_permutation(ag.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    if permutation is None:
        return None
    order = permutation.numpy()
    inverse = np.empty_like(order)
    inverse[order] = np.arange(order.size, dtype=order.dtype)
    return from_numpy(inverse)


def _lengths(op: str, lengths: Any) -> np.ndarray:
    """Lengths as an array of integers, at least one of them and none below 1."""
    array = np.asarray(lengths.array if isinstance(lengths, TensorBase) else lengths).astype(np.int64)
    if array.ndim != 1 or not array.size:
        raise ShapeError(f"{op}: lengths must be one-dimensional and not empty, got shape {list(array.shape)}")
    if array.min() < 1:
        raise ArgumentError(f"{op}: every length must be at least 1, got {array.min()}")
    return array


def _places(lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The step and the sequence of each row of packed data, and how many sequences have each step."""
    there = np.arange(lengths.max(initial=0))[:, None] < lengths
    steps, sequences = there.nonzero()
    return steps, sequences, there.sum(1)


def _batch_first(op: str, x: Any, batch_first: bool) -> tuple[int, int]:
    """How many steps and sequences a padded batch has."""
    if not isinstance(x, TensorBase):
        raise DTypeError(f"{op}: takes a tensor, got {type(x).__name__}")
    if x.array.ndim < 2:
        wanted = "(N, T, ...)" if batch_first else "(T, N, ...)"
        raise ShapeError(f"{op}: input must be {wanted}, got shape {list(x.array.shape)}")
    first, second = x.array.shape[:2]
    return (second, first) if batch_first else (first, second)


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Packs a padded batch, (T, N, ...), or (N, T, ...) where `batch_first`, of sequences of these lengths.

    With `enforce_sorted` the longest sequence must be the first, and so on; else they are sorted, and results of
    recurrent layers are put back into the order that was given.  Raises ShapeError for lengths that do not fit,
    ArgumentError where one is below 1 or they are not sorted.

    >>> import autograd_cnn as ag
    >>> packed = pack_padded_sequence(ag.tensor([[1, 3], [2, 0]]), [2, 1])
    >>> packed.data.tolist(), packed.batch_sizes.tolist()
    ([1, 3, 2], [2, 1])
    """
    op = "pack_padded_sequence"
    steps, samples = _batch_first(op, input, batch_first)
    sizes = _lengths(op, lengths)
    if sizes.size != samples:
        raise ShapeError(f"{op}: input has {samples} sequences, lengths has {sizes.size}")
    if sizes.max() > steps:
        raise ShapeError(f"{op}: input has {steps} steps, the longest of lengths is {sizes.max()}")
    order = np.arange(samples)
    if not enforce_sorted:
        order = np.argsort(-sizes, kind="stable")
        sizes = sizes[order]
    elif (np.diff(sizes) > 0).any():
        raise ArgumentError(
            f"{op}: lengths must be sorted in decreasing order where enforce_sorted=True, got {sizes.tolist()}; pass "
            "enforce_sorted=False to have the sequences sorted"
        )
    step, sequence, batch_sizes = _places(sizes)
    sequence = order[sequence]
    rows = sequence * steps + step if batch_first else step * samples + sequence
    data = input.flatten(0, 1).index_select(0, from_numpy(rows))
    return PackedSequence(data, from_numpy(batch_sizes), None if enforce_sorted else from_numpy(order))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Any, Any]:
    """The padded batch, (T, N, ...) or (N, T, ...), of a packed one, and the lengths; the inverse of packing.

    T is the greatest length or `total_length`.  Raises ArgumentError where that is smaller.

    >>> import autograd_cnn as ag
    >>> pad_packed_sequence(pack_sequence([ag.tensor([1, 2]), ag.tensor([3])]), batch_first=True)
    (tensor([[1, 2],
            [3, 0]]), tensor([2, 1]))
    """
    if not isinstance(sequence, PackedSequence):
        raise DTypeError(f"pad_packed_sequence: takes a PackedSequence, got {type(sequence).__name__}")
    sizes = sequence.batch_sizes.numpy()
    steps, samples = sizes.size, int(sizes[0])
    if total_length is not None:
        if total_length < steps:
            raise ArgumentError(
                f"pad_packed_sequence: total_length must be at least that of the longest sequence, {steps}, got "
                f"{total_length}"
            )
        steps = total_length
    lengths = (sizes[:, None] > np.arange(samples)).sum(0)
    step, place, _ = _places(lengths)
    order = np.arange(samples) if sequence.sorted_indices is None else sequence.sorted_indices.numpy()
    rows = order[place] * steps + step if batch_first else step * samples + order[place]
    data = sequence.data
    padded = data.new_full((steps * samples, *data.shape[1:]), padding_value)
    padded = padded.index_copy(0, from_numpy(rows), data)
    unsorted = np.empty_like(lengths)
    unsorted[order] = lengths
    return padded.unflatten(0, (samples, steps) if batch_first else (steps, samples)), from_numpy(unsorted)


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Any:
    """Tensors (L, ...) of different lengths as one padded batch (T, N, ...), or (N, T, ...) where `batch_first`.

    Raises ShapeError where other dimensions differ, ArgumentError for no sequence and for a `padding_side` other than
    "right" and "left".

    >>> import autograd_cnn as ag
    >>> pad_sequence([ag.tensor([1, 2, 3]), ag.tensor([4])], batch_first=True)
    tensor([[1, 2, 3],
            [4, 0, 0]])
    """
    op = "pad_sequence"
    tensors = _sequences(op, sequences)
    if padding_side not in ("left", "right"):
        raise ArgumentError(f"{op}: padding_side must be 'right' or 'left', got {padding_side!r}")
    lengths = [tensor.shape[0] for tensor in tensors]
    steps, samples = max(lengths), len(tensors)
    rows = [
        (n * steps + np.arange(length) if batch_first else n + samples * np.arange(length))
        + (0 if padding_side == "right" else (steps - length) * (1 if batch_first else samples))
        for n, length in enumerate(lengths)
    ]
    data = cat(tensors)
    padded = data.new_full((steps * samples, *data.shape[1:]), padding_value)
    padded = padded.index_copy(0, from_numpy(np.concatenate(rows)), data)
    return padded.unflatten(0, (samples, steps) if batch_first else (steps, samples))


def _sequences(op: str, sequences: Any) -> list[Any]:
    """Tensors of at least one dimension that differ in the first alone."""
    if not isinstance(sequences, Iterable):
        raise DTypeError(f"{op}: takes several tensors, got {type(sequences).__name__}")
    tensors = list(sequences)
    if not tensors:
        raise ArgumentError(f"{op}: needs at least one sequence, got none")
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, TensorBase):
            raise DTypeError(f"{op}: sequences[{i}] must be a tensor, got {type(tensor).__name__}")
        if not tensor.array.ndim or tensor.array.shape[1:] != tensors[0].array.shape[1:]:
            raise ShapeError(
                f"{op}: sequences may differ in their first dimension alone; the first has shape "
                f"{list(tensors[0].array.shape)}, sequences[{i}] has {list(tensor.array.shape)}"
            )
    return tensors


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """The sequences of a padded batch, (T, N, ...) or (N, T, ...), each of its length.

    >>> import autograd_cnn as ag
    >>> unpad_sequence(ag.tensor([[1, 2, 3], [4, 0, 0]]), ag.tensor([3, 1]), batch_first=True)
    [tensor([1, 2, 3]), tensor([4])]
    """
    _, samples = _batch_first("unpad_sequence", padded_sequences, batch_first)
    sizes = np.asarray(as_tensor(lengths, dtype=int64).numpy())
    if sizes.shape != (samples,):
        raise ShapeError(f"unpad_sequence: {samples} sequences need as many lengths, got shape {list(sizes.shape)}")
    each = padded_sequences.unbind(0 if batch_first else 1)
    return [sequence[:length] for sequence, length in zip(each, sizes.tolist(), strict=True)]


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Packs tensors (L, ...) of different lengths, the longest first unless `enforce_sorted` is off.

    >>> import autograd_cnn as ag
    >>> pack_sequence([ag.tensor([1]), ag.tensor([2, 3])], enforce_sorted=False).data
    tensor([2, 1, 3])
    """
    tensors = _sequences("pack_sequence", sequences)
    lengths = [tensor.shape[0] for tensor in tensors]
    return pack_padded_sequence(pad_sequence(tensors), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """The sequences of a packed batch, in the order that was given: the inverse of `pack_sequence`.

    >>> import autograd_cnn as ag
    >>> unpack_sequence(pack_sequence([ag.tensor([1, 2]), ag.tensor([3])]))
    [tensor([1, 2]), tensor([3])]
    """
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def chunked(*sequences: Any, length: int, dim: int = 0) -> Iterator[Any]:
    """Long sequences in parts of `length` steps, for truncated backpropagation through time; the last may be shorter.

    Cuts all tensors along `dim`, at the same steps; yields a tensor for one, a tuple for several.  The state that a
    recurrent layer returns for one part is `detached` and given to it with the next: values go on over the cut,
    gradients do not.  Raises ArgumentError for a length below 1, ShapeError where numbers of steps differ.

    R. Williams and J. Peng: "An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories", 1990.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn import nn
    >>> rnn, state = nn.RNN(1, 4), None
    >>> for x, target in chunked(ag.zeros(100, 8, 1), ag.zeros(100, 8, 4), length=40):
    ...     y, state = rnn(x, detached(state))
    ...     nn.functional.mse_loss(y, target).backward()
    ...     y.shape
    (40, 8, 4)
    (40, 8, 4)
    (20, 8, 4)
    """
    if length < 1:
        raise ArgumentError(f"chunked: length must be at least 1, got {length}")
    steps = [sequence.shape[dim] for sequence in sequences]
    if len(set(steps)) != 1:
        raise ShapeError(f"chunked: takes sequences with one number of steps, got {steps}")
    for start in range(0, steps[0], length):
        count = min(length, steps[0] - start)
        parts = tuple(sequence.narrow(dim, start, count) for sequence in sequences)
        yield parts if len(parts) > 1 else parts[0]


def detached(states: Any) -> Any:
    """A state, or a tuple of them as the LSTM's, cut off the graph that made it; None for None.

    >>> import autograd_cnn as ag
    >>> h = ag.ones(1, requires_grad=True) * 2
    >>> detached((h, h))
    (tensor([2.]), tensor([2.]))
    """
    if states is None:
        return None
    return tuple(detached(state) for state in states) if isinstance(states, tuple | list) else states.detach()
