"""einsum: sums of products, said by letters for dimensions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from math import prod
from string import ascii_lowercase, ascii_uppercase
from typing import TYPE_CHECKING, Any

from autograd_cnn.dtype import bool_
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.base import TensorBase
from autograd_cnn.ops import reduce
from autograd_cnn.ops.arithmetic import mul
from autograd_cnn.ops.index import getitem
from autograd_cnn.ops.linear import matmul
from autograd_cnn.ops.shape import permute, reshape, squeeze

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

# A letter; or, for a dimension under an ellipsis, its distance from the end of those.
Label = str | int
Term = tuple[Any, list[Label]]  # a tensor and the labels of its dimensions

LETTER: dict[Any, str] = {**dict(enumerate(ascii_uppercase + ascii_lowercase)), Ellipsis: "..."}
TERM = re.compile(r"([A-Za-z]*)(\.\.\.)?([A-Za-z]*)")


def einsum(equation: str, *operands: Tensor | Sequence[Tensor]) -> Tensor:
    """Sums of products, by a letter for each dimension of each operand: "ij,jk->ik" is a matrix product.

    Letters that the output lacks are summed over.  A letter twice in one operand takes its diagonal, "..."
    stands for any further dimensions, sizes of 1 broadcast.  Without "->", the output has the dimensions of
    "..." and then, in alphabetical order, the letters that occur once.  Operands are contracted from left to
    right.  Instead of an equation, each operand may be followed by a list of numbers from 0 to 51 and Ellipsis, one
    for each of its dimensions, and all by such a list for the output.

    Raises ArgumentError for an equation that is not one, ShapeError where it does not fit the operands'
    dimensions or one letter has several sizes, DTypeError for several dtypes or bool.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([[1, 2], [3, 4]])
    >>> einsum("ij,kj->ik", x, x), einsum("ii", x), einsum("...j->...", x)
    (tensor([[ 5, 11],
            [11, 25]]), tensor(5), tensor([3, 7]))
    """
    if isinstance(equation, TensorBase):
        equation, operands = _lettered(equation, *operands)
    if len(operands) == 1 and isinstance(operands[0], Sequence):
        operands = tuple(operands[0])
    _require_numbers(operands)
    terms, output = _parse(equation, operands)
    sizes = _sizes(terms)
    terms = [_distinct(x, labels, sizes) for x, labels in terms]
    absent = [label for label in output if label not in sizes]
    if absent or len(set(output)) != len(output):
        raise ArgumentError(f"einsum: the output of {equation!r} takes each letter once, and only those of inputs")
    result = terms[0]
    for i, term in enumerate(terms[1:], 2):
        wanted = {*output, *(label for _, labels in terms[i:] for label in labels)}
        result = _product(_summed(result, {*wanted, *term[1]}), _summed(term, {*wanted, *result[1]}), wanted)
    x, labels = _summed(result, output)
    return permute(x, [labels.index(label) for label in output])


def _lettered(*given: Any) -> tuple[str, tuple[Any, ...]]:
    """The equation and the operands of operands that are followed by lists of numbers."""
    lists = [*given[1::2], *(given[-1:] if len(given) % 2 else ())]
    if not all(isinstance(numbers, list | tuple) and all(n in LETTER for n in numbers) for numbers in lists):
        raise ArgumentError("einsum: operands must be followed by lists of numbers from 0 to 51 and Ellipsis")
    terms = ["".join(LETTER[n] for n in numbers) for numbers in lists]
    count = len(given) // 2
    output = f"->{terms[-1]}" if len(given) % 2 else ""
    return ",".join(terms[:count]) + output, given[: 2 * count : 2]


def _require_numbers(operands: tuple[Any, ...]) -> None:
    for i, x in enumerate(operands):
        if not isinstance(x, TensorBase):
            raise DTypeError(f"einsum: operands[{i}] must be a tensor, got {type(x).__name__}")
        if x.array.dtype != operands[0].array.dtype or x.array.dtype == bool_:
            raise DTypeError(
                f"einsum: operands must hold numbers of one dtype, operands[0] has {operands[0].array.dtype}, "
                f"operands[{i}] has {x.array.dtype}"
            )


def _parse(equation: str, operands: tuple[Any, ...]) -> tuple[list[Term], list[Label]]:
    """The operands with labels for their dimensions, and the labels of the output."""
    if not isinstance(equation, str):
        raise DTypeError(f"einsum: equation must be a string, got {type(equation).__name__}")
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    parts = inputs.split(",")
    if len(parts) != len(operands):
        raise ArgumentError(f"einsum: {equation!r} takes {len(parts)} operands, got {len(operands)}")
    terms: list[Term] = []
    longest = 0
    for i, (part, x) in enumerate(zip(parts, operands, strict=True)):
        before, dots, after = _match(equation, part)
        free = x.array.ndim - len(before) - len(after)
        if free < 0 or (free and not dots):
            raise ShapeError(f"einsum: {part!r} does not fit operands[{i}] of shape {list(x.array.shape)}")
        terms.append((x, [*before, *range(free, 0, -1), *after]))
        longest = max(longest, free)
    ellipsis = list(range(longest, 0, -1))
    if arrow:
        before, dots, after = _match(equation, output)
        return terms, [*before, *(ellipsis if dots else ()), *after]
    times = Counter(re.findall("[A-Za-z]", inputs))
    return terms, [*ellipsis, *sorted(letter for letter, n in times.items() if n == 1)]


def _match(equation: str, part: str) -> tuple[str, str, str]:
    match = TERM.fullmatch(part)
    if match is None:
        raise ArgumentError(f"einsum: {part!r} in {equation!r} must be letters and at most one '...'")
    return match[1], match[2] or "", match[3]


def _sizes(terms: list[Term]) -> dict[Label, int]:
    sizes: dict[Label, int] = {}
    for i, (x, labels) in enumerate(terms):
        for label, n in zip(labels, x.array.shape, strict=True):
            have = sizes.get(label, 1)
            if n != 1 and have not in (1, n):
                what = f"dimension {label} from the end of '...'" if isinstance(label, int) else f"letter {label!r}"
                raise ShapeError(f"einsum: {what} has size {have}, and {n} in operands[{i}] {list(x.array.shape)}")
            sizes[label] = have if n == 1 else n
    return sizes


def _distinct(x: Any, labels: list[Label], sizes: dict[Label, int]) -> Term:
    """x without the dimensions that broadcast, and with the diagonal of those that share a label."""
    repeated = [d for d, (n, label) in enumerate(zip(x.array.shape, labels, strict=True)) if n != sizes[label]]
    x = squeeze(x, repeated) if repeated else x
    labels = [label for d, label in enumerate(labels) if d not in repeated]
    for label in sorted({label for label in labels if labels.count(label) > 1}, key=labels.index):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            rest = [d for d in range(len(labels)) if d not in (first, second)]
            n = sizes[label]
            x = permute(x, [*rest, first, second])
            # In a flattened square, the diagonal is every (n + 1)th element.
            x = getitem(reshape(x, (*x.array.shape[:-2], n * n)), (..., slice(None, None, n + 1)))
            labels = [*(labels[d] for d in rest), label]
    return x, labels


def _summed(term: Term, wanted: Collection[Label]) -> Term:
    """The sum over the labels that nobody wants."""
    x, labels = term
    dims = tuple(d for d, label in enumerate(labels) if label not in wanted)
    if not dims:
        return term
    return reduce.sum(x, dims), [label for label in labels if label in wanted]


def _product(left: Term, right: Term, wanted: Collection[Label]) -> Term:
    """The product of two terms, summed over the labels of both that are not wanted, as one matrix product."""
    (x, ours), (y, theirs) = left, right
    size = dict(zip(ours, x.array.shape, strict=True)) | dict(zip(theirs, y.array.shape, strict=True))
    both = [label for label in ours if label in theirs]
    batch = [label for label in both if label in wanted]
    inner = [label for label in both if label not in wanted]
    rows = [label for label in ours if label not in both]
    columns = [label for label in theirs if label not in both]
    x = permute(x, [ours.index(label) for label in (*batch, *rows, *inner)])
    y = permute(y, [theirs.index(label) for label in (*batch, *inner, *columns)])

    def count(labels: list[Label]) -> int:
        return prod(size[label] for label in labels)

    lead = [count(batch)] if batch else []
    x = reshape(x, (*lead, count(rows), count(inner)))
    y = reshape(y, (*lead, count(inner), count(columns)))
    z = matmul(x, y) if inner else mul(x, y)
    labels = [*batch, *rows, *columns]
    return reshape(z, [size[label] for label in labels]), labels
