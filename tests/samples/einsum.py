"""Samples: einsum."""

from itertools import product

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import einsum
from samples.sample import ErrorSample, Sample, real, truth, whole


def sums_of_products(equation: str, *xs):
    """The definition, one element of the output and one product at a time; no ellipsis, no broadcasting."""
    inputs, output = equation.split("->")
    sizes = {
        letter: n
        for part, x in zip(inputs.split(","), xs, strict=True)
        for letter, n in zip(part, x.shape, strict=True)
    }
    y = np.zeros([sizes[letter] for letter in output])
    for place in product(*(range(n) for n in sizes.values())):
        at = dict(zip(sizes, place, strict=True))
        factors = [x[tuple(at[letter] for letter in part)] for part, x in zip(inputs.split(","), xs, strict=True)]
        y[tuple(at[letter] for letter in output)] += np.prod(factors)
    return y


def sample(equation: str, *inputs, plain: str | None = None, large=()) -> Sample:
    """`plain` is the same with letters in place of all that is short; None where NumPy knows the shorthand."""
    return Sample(
        f"{equation} {' '.join(str(list(one.shape)) for one in inputs)}",
        lambda *xs: einsum.einsum(equation, *xs),
        inputs,
        (lambda *xs: np.einsum(equation, *xs)) if plain is None else (lambda *xs: sums_of_products(plain, *xs)),
        lambda torch, *xs: torch.einsum(equation, *xs),
        large=large,
    )


def same(equation: str, *inputs) -> Sample:
    return sample(equation, *inputs, plain=equation)


SAMPLES = (
    same("ij,jk->ik", real(2, 3), real(3, 4)),
    same("ij,kj->ki", real(2, 3), real(4, 3)),
    same("bij,bjk->bik", real(2, 3, 2), real(2, 2, 4)),
    same("bhqd,bhkd->bhqk", real(2, 1, 3, 2), real(2, 1, 2, 2)),
    same("bij,bik->bjk", real(2, 3, 2), real(2, 3, 1)),
    same("i,j->ij", real(2), real(3)),
    same("i,i->", real(3), real(3)),
    same("i,i->i", real(3), real(3)),
    same("ij,kl->", real(2, 3), real(3, 2)),
    same("ij->ji", real(2, 3)),
    same("ij->", real(2, 3)),
    same("ij->j", real(2, 3)),
    same("ii->i", real(3, 3)),
    same("ii->", real(3, 3)),
    same("iji->ij", real(3, 2, 3)),
    same("iii->i", real(2, 2, 2)),
    same("ii,jj->ij", real(2, 2), real(3, 3)),
    same("ij,jk,kl->il", real(2, 3), real(3, 2), real(2, 2)),
    same("ab,bc,cd->da", real(2, 3), real(3, 1), real(1, 2)),
    same("bn,anm,bm->ba", real(2, 3), real(4, 3, 2), real(2, 2)),
    same("i,i,i->i", real(3), real(3), real(3)),
    same("ij,jk->ik", real(2, 0), real(0, 2)),
    same("ij,jk->ik", real(0, 2), real(2, 2)),
    same("->", real()),
    same(",i->i", real(), real(3)),
    sample("ij,jk", real(2, 3), real(3, 4)),
    sample("ba", real(2, 3)),
    sample("Bi,bi", real(2, 3), real(4, 3)),
    sample("ii", real(3, 3)),
    sample(" i j , j k -> i k ", real(2, 3), real(3, 4)),
    sample("...ij,...jk->...ik", real(2, 1, 3, 2), real(3, 2, 2)),
    sample("...ij,jk", real(2, 1, 3, 2), real(2, 2)),
    sample("i...,i...->...", real(3, 2, 2), real(3, 2)),
    sample("i...j->...", real(2, 4, 3)),
    sample("...->...", real(2, 3)),
    sample("ij,ij->ij", real(2, 3), real(1, 3)),
    sample("ij,jk->ik", real(2, 1), real(3, 4)),
    sample("...i,...i->", real(2, 3), real(2, 3), plain="ai,ai->"),
    sample("ij,jk->ik", whole(2, 3), whole(3, 2)),
    sample("ij,kj->ik", real(3, 2), real(4, 2), large=(real(200, 50), real(190, 50))),
)


def bad(name: str, equation: str, error: type[Exception], match: str, *inputs) -> ErrorSample:
    return ErrorSample(name, einsum.einsum, (equation, *inputs), error, match)


ERRORS = (
    bad("operands", "ij,jk", ArgumentError, "'ij,jk' takes 2 operands, got 1", real(2, 3)),
    bad("dimensions", "ij", ShapeError, r"'ij' does not fit operands\[0\] of shape \[2\]", real(2)),
    bad("few letters", "i->i", ShapeError, r"'i' does not fit operands\[0\] of shape \[2, 3\]", real(2, 3)),
    bad("sizes", "i,i", ShapeError, r"'i' has size 2, and 3 in operands\[1\]", real(2), real(3)),
    bad("diagonal", "ii", ShapeError, "'i' has size 2, and 3", real(2, 3)),
    bad("ellipsis", "...,...", ShapeError, "dimension 1 from the end", real(2), real(3)),
    bad("output twice", "i->ii", ArgumentError, "takes each letter once", real(2)),
    bad("output unknown", "i->j", ArgumentError, "only those of inputs", real(2)),
    bad("text", "i.j", ArgumentError, "must be letters", real(2, 3)),
    bad("arrows", "i->i->i", ArgumentError, "must be letters", real(2)),
    bad("dtypes", "i,i", DTypeError, r"float32, operands\[1\] has int64", real(2), whole(2)),
    bad("bools", "i,i", DTypeError, "numbers of one dtype", truth(2), truth(2)),
    bad("number", "i,", DTypeError, r"operands\[1\] must be a tensor, got float", real(2), 1.0),
)
