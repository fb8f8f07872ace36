"""Batch normalisation against its formulas in float64, and against PyTorch where it is installed."""

import numpy as np
import pytest

from autograd_cnn.kernels import cpu as kernels

SHAPES = [(4, 3, 1), (2, 1, 1), (1, 3, 5), (4, 3, 30), (5, 70, 9), (3000, 70, 1), (3000, 3, 1), (20, 6, 576)]
RTOL = {np.float32: 3e-5, np.float64: 1e-10}


def sample(shape, dtype, seed=0, mean=0.0):
    return (np.random.default_rng(seed).standard_normal(shape) + mean).astype(dtype)


def train(x, weight, bias, eps=1e-5):
    out, moments = np.empty(x.shape, x.dtype), [np.empty(x.shape[1], x.dtype) for _ in range(3)]
    kernels.batch_norm_train(x, weight, bias, eps, out, *moments)
    return out, *moments


def grad(g, x, weight, mean, invstd):
    gx, gw, gb = np.empty(x.shape, x.dtype), np.empty(x.shape[1], x.dtype), np.empty(x.shape[1], x.dtype)
    kernels.batch_norm_grad(g, x, weight, mean, invstd, gx, gw, gb)
    return gx, gw, gb


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
    got = train(x, weight, bias)
    got_grad = grad(g, x, weight, got[1], got[2])
    for actual, want in zip((*got, *got_grad), (z * w[column] + b[column], mean, invstd, var, gx, gw, gb), strict=True):
        assert actual.dtype == dtype
        np.testing.assert_allclose(actual, want, rtol=RTOL[dtype], atol=RTOL[dtype] * max(1, np.abs(want).max()))


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
    out, mean, invstd, _ = train(xs, ws, bs, 1e-3)
    np.testing.assert_allclose(out, want.detach().numpy(), rtol=1e-9, atol=1e-11)
    for actual, tensor in zip(grad(g, xs, ws, mean, invstd), (x, weight, bias), strict=True):
        np.testing.assert_allclose(actual, tensor.grad.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("shape", SHAPES)
def test_evaluation(shape):
    x, scale, shift = (
        sample(shape, np.float32),
        sample(shape[1], np.float32, 1),
        sample(shape[1], np.float32, 2),
    )
    x.flat[0] = np.inf
    out = np.empty_like(x)
    kernels.batch_norm_apply(x, scale, shift, out)
    np.testing.assert_allclose(out, x * scale[:, None] + shift[:, None], rtol=1e-5, atol=1e-6)


def test_variance_zero_and_far_from_zero():
    out, _, invstd, var = train(np.full((3, 2, 4), 7.1, np.float32), None, None, 1e-5)
    np.testing.assert_allclose(out, 0, atol=1e-10)
    np.testing.assert_allclose(var, 0, atol=1e-25)
    np.testing.assert_allclose(invstd, 1e5**0.5, rtol=1e-6)
    x = sample((64, 2, 16), np.float64, mean=1e8)
    np.testing.assert_allclose(train(x, None, None)[3], x.var((0, 2)), rtol=1e-7)


def test_empty_and_non_contiguous_inputs():
    x = sample((5, 6, 4), np.float32).transpose(2, 0, 1)
    for actual, want in zip(train(x, None, None), train(x.copy(), None, None), strict=True):
        np.testing.assert_array_equal(actual, want)
    out, mean, _, _ = train(np.empty((0, 3, 2)), None, None)
    assert out.shape == (0, 3, 2)
    assert np.isnan(mean).all()


@pytest.mark.parametrize("shape", [(64, 5, 700), (3000, 70, 1)])
def test_same_bits_for_every_thread_count(shape, same_bits):
    x = sample(shape, np.float32)

    def compute():
        out, mean, invstd, var = train(x, None, None)
        return out, mean, invstd, var, *grad(out, x, None, mean, invstd)

    same_bits(compute)
