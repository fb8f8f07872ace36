"""Samples: products of matrices and vectors."""

import numpy as np

from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.ops import linear
from samples.sample import ErrorSample, Sample, real, truth, whole

PAIRS = (
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 4)),
    ((2, 3), (3, 4)),
    ((4, 2, 3), (3, 5)),
    ((4, 2, 3), (3,)),
    ((3,), (4, 3, 2)),
    ((2, 3), (4, 3, 2)),
    ((4, 2, 3), (4, 3, 5)),
    ((2, 1, 2, 3), (4, 3, 2)),
    ((1, 2, 3), (4, 3, 2)),
    ((2, 0), (0, 3)),
    ((0, 2), (2, 3)),
    ((0, 2, 3), (3, 2)),
)


def affine(x, weight, bias=0.0):
    return np.einsum("...k,nk->...n", x, weight) + bias


def trilinear(x, y, weight, bias=0.0):
    return np.einsum("...i,oij,...j->...o", x, weight, y) + bias


def weighted(x, mat1, mat2, beta, alpha):
    return beta * x + alpha * (mat1 @ mat2)


def plain(name: str, *inputs, reference, large=()) -> Sample:
    title = " ".join(str(list(one.shape)) for one in inputs)
    return Sample(f"{name} {title}", getattr(linear, name), inputs, reference, name, large=large)


SAMPLES = (
    *(plain("matmul", real(*a), real(*b), reference=np.matmul) for a, b in PAIRS),
    Sample(
        "matmul large",
        linear.matmul,
        (real(3, 7), real(7, 2)),
        np.matmul,
        "matmul",
        large=(real(190, 70), real(70, 230)),
    ),
    Sample("matmul ints", linear.matmul, (whole(2, 3), whole(3, 4)), np.matmul, "matmul"),
    Sample(
        "matmul turned",
        lambda x, y: linear.matmul(x.mT, y.mT),
        (real(2, 3, 4), real(2, 5, 3)),
        lambda x, y: x.swapaxes(1, 2) @ y.swapaxes(1, 2),
        lambda torch, x, y: x.mT @ y.mT,
    ),
    Sample(
        "matmul with itself",
        lambda x: linear.matmul(x, x),
        (real(3, 3),),
        lambda x: x @ x,
        lambda torch, x: x @ x,
    ),
    plain("mm", real(2, 3), real(3, 4), reference=np.matmul),
    plain("bmm", real(2, 3, 4), real(2, 4, 2), reference=np.matmul),
    plain("mv", real(2, 3), real(3), reference=np.matmul),
    plain("dot", real(3), real(3), reference=np.dot),
    plain("dot", real(0), real(0), reference=np.dot),
    plain("outer", real(3), real(2), reference=np.outer),
    Sample(
        "addmm",
        linear.addmm,
        (real(4), real(2, 3), real(3, 4)),
        weighted,
        "addmm",
        {"beta": 0.5, "alpha": 2},
    ),
    Sample(
        "addmm beta 0",
        lambda x, a, b: linear.addmm(x, a, b, beta=0),
        (real(2, 4, grad=False), real(2, 3), real(3, 4)),
        lambda x, a, b: a @ b,
        lambda torch, x, a, b: torch.addmm(x * np.nan, a, b, beta=0),
    ),
    *(
        Sample(
            f"linear {list(shape)}",
            linear.linear,
            (real(*shape), real(2, 3), real(2)),
            affine,
            "nn.functional.linear",
        )
        for shape in ((3,), (4, 3), (2, 2, 3), (0, 3))
    ),
    Sample(
        "linear without bias",
        linear.linear,
        (real(4, 3), real(2, 3)),
        affine,
        "nn.functional.linear",
        large=(real(400, 70), real(130, 70)),
    ),
    *(
        Sample(
            f"bilinear {[list(one.shape) for one in inputs]}",
            linear.bilinear,
            inputs,
            trilinear,
            "nn.functional.bilinear",
        )
        for inputs in (
            (real(4, 3), real(4, 2), real(5, 3, 2), real(5)),
            (real(2, 4, 3), real(2, 4, 1), real(1, 3, 1)),
            (real(3), real(2), real(2, 3, 2), real(2)),
            (real(0, 3), real(0, 2), real(2, 3, 2)),
        )
    ),
    Sample("linear no features", linear.linear, (real(4, 0), real(2, 0), real(2)), affine, "nn.functional.linear"),
)

ERRORS = (
    ErrorSample(
        "matmul inner",
        linear.matmul,
        (real(2, 3), real(4, 5)),
        ShapeError,
        r"matmul: input \(2, 3\) and other \(4, 5\): inner sizes 3 and 4 differ",
    ),
    ErrorSample("matmul vectors", linear.matmul, (real(2), real(3)), ShapeError, "inner sizes 2 and 3 differ"),
    ErrorSample("matmul vector", linear.matmul, (real(2), real(4, 3, 2)), ShapeError, "inner sizes 2 and 3 differ"),
    ErrorSample("matmul 0-d", linear.matmul, (real(), real(3)), ShapeError, "at least 1 dimension"),
    ErrorSample(
        "matmul batch", linear.matmul, (real(2, 2, 3), real(3, 3, 2)), ShapeError, "sizes 2 and 3 at dimension 0"
    ),
    ErrorSample("matmul dtypes", linear.matmul, (real(2, 3), whole(3, 2)), DTypeError, "float32, other has int64"),
    ErrorSample("matmul bool", linear.matmul, (truth(2, 3), truth(3, 2)), DTypeError, "input must hold numbers"),
    ErrorSample("matmul number", linear.matmul, (real(2, 3), 2.0), DTypeError, "other must be a tensor, got float"),
    ErrorSample("mm", linear.mm, (real(2, 3), real(3)), ShapeError, r"mat2 must have 2 dimensions, got shape \[3\]"),
    ErrorSample("bmm", linear.bmm, (real(2, 3, 4), real(3, 4, 3)), ShapeError, "input has 2 matrices, mat2 has 3"),
    ErrorSample("mv", linear.mv, (real(2, 3), real(3, 1)), ShapeError, "vec must have 1 dimensions"),
    ErrorSample("dot", linear.dot, (real(2), real(3)), ShapeError, "inner sizes 2 and 3 differ"),
    ErrorSample("outer", linear.outer, (real(2), real(3, 1)), ShapeError, "vec2 must have 1 dimensions"),
    ErrorSample(
        "addmm", linear.addmm, (real(3, 3), real(2, 3), real(3, 3)), ShapeError, "sizes 3 and 2 at dimension 0"
    ),
    ErrorSample("bilinear", linear.bilinear, (real(4, 3), real(4, 2), real(5, 2, 3)), ShapeError, "do not fit weight"),
    ErrorSample("bilinear weight", linear.bilinear, (real(4, 3), real(4, 2), real(5, 3)), ShapeError, r"got \[5, 3\]"),
    ErrorSample(
        "bilinear bias",
        linear.bilinear,
        (real(4, 3), real(4, 2), real(5, 3, 2), real(3)),
        ShapeError,
        r"bilinear: bias has shape \[3\]",
    ),
    ErrorSample("linear", linear.linear, (real(4, 3), real(2, 4)), ShapeError, "has 3 features, .* takes 4"),
    ErrorSample("linear weight", linear.linear, (real(4, 3), real(3)), ShapeError, r"weight .* got shape \[3\]"),
    ErrorSample("linear bias", linear.linear, (real(4, 3), real(2, 3), real(3)), ShapeError, r"bias has shape \[3\]"),
    ErrorSample("linear ints", linear.linear, (real(4, 3), whole(2, 3)), DTypeError, "weight must be a floating"),
)
