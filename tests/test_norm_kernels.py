"""Batch and layer normalisation against its formulas in float64, and against PyTorch where it is installed."""

import numpy as np
import pytest
from guarded_memory import Canaries, guarded, run_alone

from autograd_cnn.kernels import cpu as kernels

SHAPES = [
    (4, 3, 1),
    (2, 1, 1),
    (1, 3, 5),
    (4, 3, 30),
    (5, 70, 9),
    (40, 21, 49),
    (3000, 70, 1),
    (3000, 3, 1),
    (20, 6, 576),
]
RTOL = {np.float32: 3e-5, np.float64: 1e-10}


def sample(shape, dtype, seed=0, mean=0.0):
    return (np.random.default_rng(seed).standard_normal(shape) + mean).astype(dtype)


def train(x, weight, bias, eps=1e-5):
    out, statistics = np.empty(x.shape, x.dtype), np.empty((3, x.shape[1]))
    kernels.batch_norm_train(x, weight, bias, eps, out, statistics)
    return out, statistics


def grad(g, x, weight, statistics, training=True):
    gx, gw, gb = np.empty(x.shape, x.dtype), np.empty(x.shape[1], x.dtype), np.empty(x.shape[1], x.dtype)
    kernels.batch_norm_grad(g, x, weight, statistics, training, gx, gw, gb)
    return gx, gw, gb


def close(actual, want, dtype):
    assert actual.dtype == dtype
    np.testing.assert_allclose(actual, want, rtol=RTOL[dtype], atol=RTOL[dtype] * max(1, np.abs(want).max(initial=0)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_training_and_its_gradient(shape, affine, dtype):
    x, g = sample(shape, dtype, mean=2), sample(shape, dtype, 1)
    weight, bias = (sample(shape[1], dtype, 2), sample(shape[1], dtype, 3)) if affine else (None, None)
    wide, upstream, count = x.astype(np.float64), g.astype(np.float64), shape[0] * shape[2]
    column = np.s_[None, :, None]
    mean, var = wide.mean((0, 2)), wide.var((0, 2))
    invstd = 1 / np.sqrt(var + 1e-5)
    z = (wide - mean[column]) * invstd[column]
    w, b = (weight, bias) if affine else (np.ones(shape[1]), np.zeros(shape[1]))
    gw, gb = (upstream * z).sum((0, 2)), upstream.sum((0, 2))
    gx = (w * invstd)[column] * (upstream - (gb[column] + z * gw[column]) / count)
    out, statistics = train(x, weight, bias)
    np.testing.assert_allclose(statistics, [mean, invstd, var], rtol=1e-9, atol=1e-9)
    got = out, *grad(g, x, weight, statistics)
    for actual, want in zip(got, (z * w[column] + b[column], gx, gw, gb), strict=True):
        close(actual, want, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_evaluation_and_its_gradient(shape, affine, dtype):
    x, g = sample(shape, dtype, mean=2), sample(shape, dtype, 1)
    weight, bias = (sample(shape[1], dtype, 2), sample(shape[1], dtype, 3)) if affine else (None, None)
    mean, var = sample(shape[1], dtype, 4), np.abs(sample(shape[1], dtype, 5))
    column = np.s_[None, :, None]
    invstd = 1 / np.sqrt(var.astype(np.float64) + 1e-5)
    z, upstream = (x.astype(np.float64) - mean[column]) * invstd[column], g.astype(np.float64)
    w, b = (weight, bias) if affine else (np.ones(shape[1]), np.zeros(shape[1]))
    out = np.empty_like(x)
    kernels.batch_norm_eval(x, mean, var, weight, bias, 1e-5, out)
    wanted = (
        z * w[column] + b[column],
        (w * invstd)[column] * upstream,
        (upstream * z).sum((0, 2)),
        upstream.sum((0, 2)),
    )
    got = out, *grad(g, x, weight, np.stack([mean, invstd]), training=False)
    for actual, want in zip(got, wanted, strict=True):
        close(actual, want, dtype)


@pytest.mark.parametrize("shape", [(4, 3, 30), (40, 70, 1)])
def test_only_what_is_wanted(shape):
    x, g, weight = sample(shape, np.float32), sample(shape, np.float32, 1), sample(shape[1], np.float32, 2)
    _, statistics = train(x, weight, None)
    whole = grad(g, x, weight, statistics)
    for i, want in enumerate(whole):
        outs = [np.empty_like(want) if i == j else None for j in range(3)]
        kernels.batch_norm_grad(g, x, weight, statistics, True, *outs)
        np.testing.assert_array_equal(outs[i], want)


@pytest.mark.parametrize("shape", SHAPES[3:])
def test_training_matches_torch(shape):
    torch = pytest.importorskip("torch")
    x, weight, bias = (torch.tensor(sample(s, np.float64, i)) for i, s in enumerate((shape, shape[1], shape[1])))
    for tensor in (x, weight, bias):
        tensor.requires_grad_()
    want = torch.nn.functional.batch_norm(x, None, None, weight, bias, True, 0.1, 1e-3)
    g = sample(shape, np.float64, 4)
    want.backward(torch.tensor(g))
    xs, ws, bs = (tensor.detach().numpy() for tensor in (x, weight, bias))
    out, statistics = train(xs, ws, bs, 1e-3)
    np.testing.assert_allclose(out, want.detach().numpy(), rtol=1e-9, atol=1e-11)
    for actual, tensor in zip(grad(g, xs, ws, statistics), (x, weight, bias), strict=True):
        np.testing.assert_allclose(actual, tensor.grad.numpy(), rtol=1e-9, atol=1e-11)


def test_variance_zero_and_far_from_zero():
    out, (_, invstd, var) = train(np.full((3, 2, 4), 7.1, np.float32), None, None, 1e-5)
    np.testing.assert_allclose(out, 0, atol=1e-10)
    np.testing.assert_allclose(var, 0, atol=1e-25)
    np.testing.assert_allclose(invstd, 1e5**0.5, rtol=1e-6)
    for shape in ((64, 2, 16), (1024, 2, 1)):
        x = sample(shape, np.float64, mean=1e8)
        np.testing.assert_allclose(train(x, None, None)[1][2], x.var((0, 2)), rtol=1e-7)
        x[0] = 0  # what sums are taken round is far from the others
        np.testing.assert_allclose(train(x, None, None)[1][2], x.var((0, 2)), rtol=1e-7)


def test_infinities_and_nan_stay_in_their_channel():
    for shape in ((4, 3, 20), (40, 3, 1)):
        x = sample(shape, np.float32)
        x[1, 0, 0], x[2, 1, 0] = np.inf, np.nan
        out, statistics = train(x, None, None)
        assert np.isnan(out[:, 1]).all()
        assert np.isnan(statistics[2, :2]).all()
        assert np.isfinite(out[:, 2]).all()


def test_empty_and_non_contiguous_inputs():
    x = sample((5, 6, 4), np.float32).transpose(2, 0, 1)
    for actual, want in zip(train(x, None, None), train(x.copy(), None, None), strict=True):
        np.testing.assert_array_equal(actual, want)
    out, statistics = train(np.empty((0, 3, 2)), None, None)
    assert out.shape == (0, 3, 2)
    assert np.isnan(statistics).all()
    np.testing.assert_array_equal(grad(out, out, None, statistics)[2], 0)


@pytest.mark.parametrize("missing", [(), (0,), (1,)])
def test_running_averages(missing):
    statistics = np.array([[1.0, 2.0, np.inf], [7.0, 7.0, 7.0], [2.0, 4.0, np.nan]])
    running = [np.ones(0 if i in missing else 3, np.float32) for i in range(2)]
    kernels.running_averages(*running, statistics, 1.5, 0.25)
    for i, want in enumerate(np.float32([[1, 1.25, np.inf], [1.5, 2.25, np.nan]])):
        np.testing.assert_array_equal(running[i], want[:0] if i in missing else want)


LAYERS = [(1, 1), (3, 7), (5, 64), (200, 513), (33, 1000), (4, 0), (0, 4)]


def layer_norm(x, g, weight, bias, eps=1e-5):
    out, statistics, gx = np.empty_like(x), np.empty((2, x.shape[0])), np.empty_like(x)
    gw, gb = np.empty(x.shape[1], x.dtype), np.empty(x.shape[1], x.dtype)
    kernels.layer_norm(x, weight, bias, eps, out, statistics)
    kernels.layer_norm_grad(g, x, weight, statistics, gx, gw, gb)
    return out, gx, gw, gb


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("shape", LAYERS)
def test_layer_norm_and_its_gradient(shape, affine, dtype):
    x, g = sample(shape, dtype, mean=2), sample(shape, dtype, 1)
    weight, bias = (sample(shape[1], dtype, 2), sample(shape[1], dtype, 3)) if affine else (None, None)
    w, b = (weight, bias) if affine else (np.ones(shape[1]), np.zeros(shape[1]))
    wide, upstream, d = x.astype(np.float64), g.astype(np.float64), max(shape[1], 1)
    centred = wide - wide.sum(1, keepdims=True) / d
    rstd = 1 / np.sqrt((centred**2).sum(1, keepdims=True) / d + 1e-5)
    z, v = centred * rstd, upstream * w
    gx = rstd * (v - (v.sum(1, keepdims=True) + z * (v * z).sum(1, keepdims=True)) / d)
    wanted = z * w + b, gx, (upstream * z).sum(0), upstream.sum(0)
    for actual, want in zip(layer_norm(x, g, weight, bias), wanted, strict=True):
        close(actual, want, dtype)


def test_layer_norm_far_from_zero_and_of_special_rows():
    x = sample((3, 100), np.float64, mean=1e8)
    out = layer_norm(x, x, None, None)[0]
    np.testing.assert_allclose(out, (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True), rtol=1e-4, atol=1e-6)
    x = np.full((3, 20), 7.1, np.float32)
    x[1, 3], x[2, 3] = np.nan, np.inf
    out = layer_norm(x, x, None, None)[0]
    np.testing.assert_allclose(out[0], 0, atol=1e-10)
    assert np.isnan(out[1:]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layer_norm_of_one_element_has_no_gradient(dtype):
    rng = np.random.default_rng(0)
    x, g = rng.standard_normal((2, 50, 1)).astype(dtype)
    out, gx, _, gb = layer_norm(x, g, np.array([3.3], dtype), np.array([0.7], dtype))
    assert (out == dtype(0.7)).all()
    assert (gx == 0).all()
    np.testing.assert_allclose(gb, g.sum(0), 1e-5)


def test_layer_norm_makes_only_what_is_wanted():
    x, g, weight = sample((9, 20), np.float32), sample((9, 20), np.float32, 1), sample(20, np.float32, 2)
    whole = layer_norm(x, g, weight, weight)[1:]
    statistics = np.empty((2, 9))
    kernels.layer_norm(x, weight, weight, 1e-5, np.empty_like(x), statistics)
    for i, want in enumerate(whole):
        outs = [np.empty_like(want) if i == j else None for j in range(3)]
        kernels.layer_norm_grad(g, x, weight, statistics, *outs)
        np.testing.assert_array_equal(outs[i], want)


@pytest.mark.parametrize("shape", [(64, 5, 700), (3000, 70, 1)])
def test_same_bits_for_every_thread_count(shape, same_bits):
    x = sample(shape, np.float32)
    rows = x.reshape(shape[0], -1)

    def compute():
        out, statistics = train(x, None, None)
        return out, statistics, *grad(out, x, None, statistics), *layer_norm(rows, rows, None, None)

    same_bits(compute)


def in_guarded_memory() -> None:
    for side in ("before", "after"):
        for shape in ((2, 3, 1), (3, 2, 5), (1, 2, 16), (2, 3, 67), (2, 33, 600)):
            x, g = guarded(sample(shape, np.float32), side), guarded(sample(shape, np.float32, 1), side)
            out, gx = Canaries(shape, np.float32), Canaries(shape, np.float32)
            weight = guarded(sample(shape[1], np.float32, 2), side)
            statistics = guarded(np.empty((3, shape[1])), side)
            kernels.batch_norm_train(x, weight, weight, 1e-5, out.out, statistics)
            kernels.batch_norm_eval(x, weight, abs(weight), weight, weight, 1e-5, out.out)
            kernels.batch_norm_grad(g, x, weight, statistics, True, gx.out, weight, weight)
            kernels.batch_norm_grad(g, x, weight, statistics, False, gx.out, weight, weight)
            assert out.alive()
            assert gx.alive()
            rows, upstream = x.reshape(shape[0], -1), g.reshape(shape[0], -1)
            weight, statistics = (
                guarded(sample(rows.shape[1], np.float32), side),
                guarded(np.empty((2, shape[0])), side),
            )
            kernels.layer_norm(rows, weight, weight, 1e-5, out.out.reshape(rows.shape), statistics)
            kernels.layer_norm_grad(upstream, rows, weight, statistics, gx.out.reshape(rows.shape), weight, weight)
            assert out.alive()
            assert gx.alive()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_of_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_norm_kernels", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
