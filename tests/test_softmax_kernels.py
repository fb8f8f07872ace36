"""Softmax and cross entropy against their formulas in float64, and against PyTorch where it is installed."""

import numpy as np
import pytest
from guarded_memory import Canaries, guarded, run_alone

from autograd_cnn.kernels import cpu as kernels

SHAPES_AND_DIMS = [
    ((), 0),
    ((1,), 0),
    ((10,), 0),
    ((3, 7), 0),
    ((3, 7), 1),
    ((2, 5, 4), 1),
    ((2, 5, 40), 1),
    ((64, 1000), 1),
    ((9, 5000), 0),
    ((4, 0), 0),
    ((4, 0), 1),
    ((0, 4), 1),
]
RTOL = {np.float32: 2e-6, np.float64: 1e-13}


def sample(shape, dtype, seed=0, scale=3.0):
    return (np.random.default_rng(seed).standard_normal(shape) * scale).astype(dtype)


def run(name, *arrays_and_dim):
    out = np.empty_like(arrays_and_dim[0], order="C")
    getattr(kernels, name)(*arrays_and_dim, out)
    return out


def exact_log_softmax(x, dim):
    x = x.astype(np.float64)
    if x.ndim == 0 or x.size == 0:
        return np.zeros_like(x)
    x = x - x.max(dim, keepdims=True)
    return x - np.log(np.exp(x).sum(dim, keepdims=True))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "dim"), SHAPES_AND_DIMS)
def test_softmax_and_its_gradient(shape, dim, dtype):
    x, g = sample(shape, dtype), sample(shape, dtype, 1)
    log_p = exact_log_softmax(x, dim)
    p = np.exp(log_p)
    tolerance = {"rtol": RTOL[dtype], "atol": RTOL[dtype]}
    np.testing.assert_allclose(run("softmax", x, dim), p, **tolerance)
    np.testing.assert_allclose(run("log_softmax", x, dim), log_p, rtol=RTOL[dtype], atol=10 * RTOL[dtype])
    total = (lambda a: a) if x.ndim == 0 else (lambda a: a.sum(dim, keepdims=True))
    tolerance["atol"] *= 100
    np.testing.assert_allclose(run("softmax_grad", g, p.astype(dtype), dim), p * (g - total(g * p)), **tolerance)
    np.testing.assert_allclose(
        run("log_softmax_grad", g, log_p.astype(dtype), dim), g - p * total(g.astype(np.float64)), **tolerance
    )


SPECIAL_ROWS = np.array(
    [
        [1e4, -1e4, 0, 9999],
        [-1e4, -1e4, -1e4, -1e4],
        [-np.inf, 0, 1, -np.inf],
        [-np.inf, -np.inf, -np.inf, -np.inf],
        [np.inf, 0, 1, 2],
        [np.inf, np.inf, 1, 2],
        [np.nan, 0, 1, 2],
        [np.inf, -np.inf, np.nan, 1],
        [3e38, -3e38, 0, 1],
    ]
)


@pytest.mark.parametrize("copies", [1, 12])  # lines within one vector, and longer ones
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_special_values_match_torch(name, dtype, copies):
    torch = pytest.importorskip("torch")
    with np.errstate(over="ignore"):
        x = np.tile(SPECIAL_ROWS, copies).astype(dtype)
    want = getattr(torch, name)(torch.tensor(x), 1).numpy()
    np.testing.assert_allclose(run(name, x, 1), want, rtol=RTOL[dtype])
    np.testing.assert_allclose(run(name, np.ascontiguousarray(x.T), 0), want.T, rtol=RTOL[dtype])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("shape", "dims"),
    [
        ((), ()),
        ((5,), ()),
        ((5,), (0,)),
        ((3, 4), (0, 1)),
        ((3, 4), (0,)),
        ((3, 4, 5), (0, 2)),
        ((3, 4, 5), (1,)),
        ((6, 900, 40), (1,)),
        ((6, 900, 40), (0, 2)),
        ((2, 0), (1,)),
        ((0, 2), (1,)),
    ],
)
def test_logsumexp(shape, dims, dtype):
    x = sample(shape, dtype)
    out = np.empty([size for d, size in enumerate(shape) if d not in dims], dtype)
    kernels.logsumexp(x, dims, out)
    with np.errstate(divide="ignore"):
        want = np.log(np.exp(x.astype(np.float64)).sum(dims))
    np.testing.assert_allclose(out, want, rtol=RTOL[dtype], atol=RTOL[dtype])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logsumexp_of_special_rows(dtype):
    out = np.empty(8, dtype)
    kernels.logsumexp(SPECIAL_ROWS[:8].astype(dtype), (1,), out)
    want = [
        np.logaddexp(1e4, 9999),
        -1e4 + np.log(4),
        np.log(1 + np.e),
        -np.inf,
        np.inf,
        np.inf,
        np.nan,
        np.nan,
    ]
    np.testing.assert_allclose(out, want, rtol=1e-6)


def test_non_contiguous_inputs():
    x, g = (
        sample((5, 6, 4), np.float64).transpose(2, 0, 1),
        sample((6, 5, 4), np.float64, 1).transpose(2, 1, 0),
    )
    for name in ("softmax", "log_softmax"):
        y = run(name, x, 1)
        np.testing.assert_array_equal(y, run(name, x.copy(), 1))
        want = run(f"{name}_grad", g.copy(), y, 1)
        np.testing.assert_array_equal(run(f"{name}_grad", g, y.transpose(0, 2, 1).copy().transpose(0, 2, 1), 1), want)


CLASSES = [  # N, C, S, weighted, ignore_index, label_smoothing
    (64, 10, 1, False, -100, 0.0),
    (5, 3, 1, True, 1, 0.0),
    (5, 3, 1, False, -100, 0.2),
    (6, 4, 5, True, 2, 0.1),
    (6, 4, 5, False, -1, 1.0),
    (3, 1, 2, False, -100, 0.3),
    (40, 1000, 1, True, 7, 0.05),
    (3, 7, 900, True, 7, 0.05),
    (0, 4, 1, False, -100, 0.0),
]


def labels(n, c, s, weighted, ignore_index, dtype):
    rng = np.random.default_rng(2)
    target = rng.integers(0, c, (n, s))
    target[rng.random((n, s)) < 0.2] = ignore_index
    return (
        target,
        rng.uniform(0.5, 2, c if weighted else 0).astype(dtype),
        rng.uniform(0.5, 2, (n, s)).astype(dtype),
    )


def cross_entropy(logits, target, weight, ignore_index, label_smoothing, scale):
    """The losses of labels and their gradient, each times its element of scale; or of the scale's only one."""
    reduction = "none" if scale.size == target.size else "sum"
    noted, grad = np.full((3, target.size + 1), np.nan), np.full(logits.shape, np.nan, logits.dtype)
    loss = np.full(scale.shape, np.nan, logits.dtype)
    given = target, weight, ignore_index, label_smoothing, reduction
    assert kernels.cross_entropy(logits, *given, noted, loss) == -1
    kernels.cross_entropy_grad(scale, logits, noted, *given, grad)
    weights = (target != ignore_index) * (weight[target % logits.shape[1]] if weight.size else 1.0)
    np.testing.assert_allclose(noted[1, :-1], weights.ravel())
    np.testing.assert_allclose(noted[:2, -1], noted[:2, :-1].sum(1), rtol=1e-12)
    losses = noted[0, :-1].reshape(target.shape)
    np.testing.assert_array_equal(loss, (losses if reduction == "none" else noted[0, -1:]).astype(loss.dtype))
    return losses, grad


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "c", "s", "weighted", "ignore_index", "smoothing"), CLASSES)
def test_cross_entropy_matches_the_formula(n, c, s, weighted, ignore_index, smoothing, dtype):
    logits = sample((n, c, s), dtype)
    target, weight, scale = labels(n, c, s, weighted, ignore_index, dtype)
    losses, grad = cross_entropy(logits, target, weight, ignore_index, smoothing, scale)
    w = weight.astype(np.float64) if weighted else np.ones(c)
    log_p = exact_log_softmax(logits, 1)
    for i, j in np.ndindex(n, s):
        # The label as a distribution over classes, each already weighted.
        soft = np.full(c, smoothing / c) * w
        label = target[i, j]
        if label == ignore_index:
            soft[:] = 0
        else:
            soft[label] += (1 - smoothing) * w[label]
        assert losses[i, j] == pytest.approx(-soft @ log_p[i, :, j], rel=5 * RTOL[dtype])
        want = scale[i, j] * (soft.sum() * np.exp(log_p[i, :, j]) - soft)
        np.testing.assert_allclose(grad[i, :, j], want, rtol=10 * RTOL[dtype], atol=3 * RTOL[dtype])


@pytest.mark.parametrize("spread", [3.0, 1e4])
@pytest.mark.parametrize(("n", "c", "s", "weighted", "ignore_index", "smoothing"), CLASSES)
def test_cross_entropy_matches_torch(n, c, s, weighted, ignore_index, smoothing, spread):
    torch = pytest.importorskip("torch")
    logits = sample((n, c, s), np.float32, scale=spread)
    target, weight, scale = labels(n, c, s, weighted, ignore_index, np.float32)
    losses, grad = cross_entropy(logits, target, weight, ignore_index, smoothing, scale)
    x = torch.tensor(logits, requires_grad=True)
    want = torch.nn.functional.cross_entropy(
        x,
        torch.tensor(target),
        torch.tensor(weight) if weighted else None,
        reduction="none",
        ignore_index=ignore_index,
        label_smoothing=smoothing,
    )
    want.backward(torch.tensor(scale))
    np.testing.assert_allclose(losses, want.detach().numpy(), rtol=3e-6, atol=1e-5)
    np.testing.assert_allclose(grad, x.grad.numpy(), rtol=3e-5, atol=1e-6)


@pytest.mark.parametrize("copies", [1, 12])
def test_cross_entropy_of_special_rows_matches_torch(copies):
    torch = pytest.importorskip("torch")
    logits = np.tile(SPECIAL_ROWS[:-1], copies).astype(np.float32)
    target = np.array([1, 2, 2, 0, 0, 2, 1, 3])
    x = torch.tensor(logits, requires_grad=True)
    want = torch.nn.functional.cross_entropy(x, torch.tensor(target), reduction="none")
    want.sum().backward()
    scale = np.ones(1, np.float32)
    losses, grad = cross_entropy(logits[:, :, None], target[:, None], np.empty(0, np.float32), -100, 0.0, scale)
    np.testing.assert_allclose(losses[:, 0], want.detach().numpy(), rtol=1e-6)
    np.testing.assert_allclose(grad[:, :, 0], x.grad.numpy(), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("level", [-500.0, -30.0, -15.9, 0.0, 15.9, 30.0, 87.0, 500.0])
def test_losses_of_lines_on_any_level(level, dtype):
    logits = (sample((6, 100), np.float64) + level).astype(dtype)
    logits[0, 70] = level + 100  # far above what a line begins with
    logits[1, :70] = -np.inf
    target = np.arange(70, 76)
    losses, grad = cross_entropy(logits, target, np.empty(0, dtype), -100, 0.0, np.ones(6, dtype))
    log_p = exact_log_softmax(logits, 1)
    np.testing.assert_allclose(losses, -log_p[np.arange(6), target], rtol=1e-6, atol=RTOL[dtype] * max(abs(level), 1))
    np.testing.assert_allclose(grad, np.exp(log_p) - np.eye(100)[target], atol=RTOL[dtype] * max(abs(level), 1))


@pytest.mark.parametrize("shape", [(7, 3), (7, 3, 2), (3000, 30)])
def test_a_label_that_is_no_class_is_found_and_nothing_written(shape):
    logits, target = sample(shape, np.float32), np.zeros((shape[0], *shape[2:]), np.int64)
    for label, found in ((3 if shape[1] == 3 else 30, target.size - 1), (-1, 2), (-100, 1)):
        target.ravel()[found] = label
        noted, loss = np.full((3, target.size + 1), 7.0), np.full((), 7, np.float32)
        given = np.empty(0, np.float32), -1 if label == -100 else -7, 0.0, "mean"
        assert kernels.cross_entropy(logits, target, *given, noted, loss) == found
        assert (noted == 7).all()
        assert loss == 7


def test_one_scale_for_all_labels():
    for shape in ((9, 11, 1), (9, 11, 5)):
        logits = sample(shape, np.float32)
        target, weight, _ = labels(*shape, True, 3, np.float32)
        one = cross_entropy(logits, target, weight, 3, 0.1, np.full(1, 0.25, np.float32))
        many = cross_entropy(logits, target, weight, 3, 0.1, np.full(target.shape, 0.25, np.float32))
        for actual, want in zip(one, many, strict=True):
            np.testing.assert_array_equal(actual, want)


def in_guarded_memory() -> None:
    for side in ("before", "after"):
        for shape, dim in (((5, 7), 1), ((3, 130), 1), ((2, 5, 3), 1), ((2, 5, 70), 1), ((3, 900), 0)):
            x, g = guarded(sample(shape, np.float32), side), guarded(sample(shape, np.float32, 1), side)
            out, sums = Canaries(shape, np.float32), Canaries(tuple(np.delete(shape, dim)), np.float32)
            for name in ("softmax", "log_softmax"):
                getattr(kernels, name)(x, dim, out.out)
                getattr(kernels, f"{name}_grad")(g, x, dim, out.out)
            kernels.logsumexp(x, (dim,), sums.out)
            assert out.alive()
            assert sums.alive()
        for shape in ((5, 7, 1), (3, 130, 1), (2, 5, 3), (2, 5, 70)):
            n, c, s = shape
            x, out = guarded(sample(shape, np.float32), side), Canaries(shape, np.float32)
            for weighted, ignore_index, smoothing in ((True, 2, 0.1), (False, -100, 0.0)):
                target, weight, scale = labels(n, c, s, weighted, ignore_index, np.float32)
                target, weight = guarded(target, side), guarded(weight, side) if weighted else weight
                noted, scale = guarded(np.empty((3, n * s + 1)), side), guarded(scale, side)
                for reduction, g in (("none", scale), ("mean", guarded(scale[:1, 0], side))):
                    given = target, weight, ignore_index, smoothing, reduction
                    loss = Canaries(g.shape, np.float32)
                    assert kernels.cross_entropy(x, *given, noted, loss.out) == -1
                    kernels.cross_entropy_grad(g, x, noted, *given, out.out)
                    assert out.alive()
                    assert loss.alive()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_of_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_softmax_kernels", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr


def test_same_bits_for_every_thread_count(same_bits):
    x = sample((300, 11, 13), np.float32)
    target, weight, scale = labels(300, 11, 13, True, -100, np.float32)

    def compute():
        arrays = [run("softmax", x, 1), run("log_softmax", x, 2), run("softmax_grad", x, x, 1)]
        return [*arrays, *cross_entropy(x, target, weight, -100, 0.1, scale)]

    same_bits(compute)
