"""A call of every kernel: what `autograd-cnn warmup` compiles besides the kernels of the networks.

Ops run forward and backward in float32 on inputs of two sizes, since small arrays and large ones have kernels of their
own, and in each of the ways in which operands may lie: of one shape, a number, a row, a column.  What is left to be
compiled when it is first asked for are other dtypes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_cnn.nn.functional as F
from autograd_cnn import nn, optim
from autograd_cnn.creation import from_numpy
from autograd_cnn.graph import engine
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.nn.utils import clip_grad_norm_, clip_grad_value_, clip_grads_with_norm_
from autograd_cnn.ops import (
    arithmetic,
    blend,
    bounds,
    cdist,
    closeness,
    comparison,
    cross,
    elementwise,
    exponential,
    extreme,
    find,
    flip,
    gather,
    index,
    index_write,
    join,
    linear,
    random,
    reduce,
    rounding,
    running,
    scan,
    scatter,
    shape,
    softmax,
    sort,
    statistics,
    trigonometric,
)

SIDES = (8, 512)  # of square inputs: for one thread, and for all of them

UNARY: tuple[Callable[..., Any], ...] = (
    *(elementwise.abs, elementwise.exp, elementwise.expm1, elementwise.log, elementwise.log1p, elementwise.sqrt),
    *(elementwise.rsqrt, elementwise.sin, elementwise.cos, elementwise.tan, elementwise.tanh, elementwise.erf),
    *(elementwise.sigmoid, elementwise.square, elementwise.reciprocal, elementwise.neg),
    *(trigonometric.asin, trigonometric.acos, trigonometric.atan, trigonometric.sinh, trigonometric.cosh),
    *(trigonometric.asinh, trigonometric.acosh, trigonometric.atanh),
    *(exponential.exp2, exponential.log2, exponential.log10, exponential.erfc, exponential.logit, blend.frac),
    *(rounding.ceil, rounding.floor, rounding.round, rounding.sign, rounding.trunc),
    *(F.elu, F.gelu, F.leaky_relu, F.logsigmoid, F.relu, F.relu6, F.selu, F.silu, F.softplus),
    *(F.celu, F.hardshrink, F.hardsigmoid, F.hardswish, F.mish, F.softshrink, F.softsign, F.glu),
    *(lambda x: F.threshold(x, 0.5, 1.0), lambda x: F.gelu(x, "tanh"), lambda x: rounding.clamp(x, -1.0, 1.0)),
    *(lambda x: x**3, lambda x: x**2.5),
)
BINARY: tuple[Callable[..., Any], ...] = (
    *(arithmetic.add, arithmetic.sub, arithmetic.mul, arithmetic.div, arithmetic.atan2, arithmetic.pow),
    *(arithmetic.maximum, arithmetic.minimum, arithmetic.remainder, arithmetic.floor_divide),
    *(trigonometric.hypot, exponential.logaddexp, exponential.logaddexp2, exponential.xlogy),
    *(bounds.fmax, bounds.fmin, blend.fmod),
)
COMPARISONS: tuple[Callable[..., Any], ...] = (
    *(comparison.eq, comparison.ne, comparison.lt, comparison.le, comparison.gt, comparison.ge),
)
TESTS: tuple[Callable[..., Any], ...] = (
    comparison.isfinite,
    comparison.isinf,
    comparison.isnan,
    comparison.logical_not,
    closeness.signbit,
)
LOGIC: tuple[Callable[..., Any], ...] = (comparison.logical_and, comparison.logical_or, comparison.logical_xor)
REDUCTIONS = (*(reduce.sum, reduce.mean, reduce.prod, reduce.var, reduce.logsumexp, extreme.amax, extreme.amin),)


def _zeros(*size: int, grad: bool = True) -> Any:
    return from_numpy(np.zeros(size, np.float32)).requires_grad_(grad)


def _indices(*size: int) -> Any:
    return from_numpy(np.zeros(size, np.int64))


def _both_ways(*results: Any) -> None:
    for y in results:
        if y.requires_grad:
            y.backward(from_numpy(np.zeros(y.shape, np.float32)))


def _pointwise(side: int) -> None:
    x, row, column = _zeros(side, side), _zeros(side), _zeros(side, 1)
    channel, images = _zeros(2, 1, 1), _zeros(2, 2, side, side)
    for f in UNARY:
        _both_ways(f(x))
    for f in BINARY:
        for left, right in ((x, x), (x, row), (x, column), (row, x), (images, channel)):
            _both_ways(f(left, right))
        _both_ways(f(x, 2.0))
    truth = x > 0
    for f in COMPARISONS:
        f(x, x), f(x, row), f(x, 2.0)
    closeness.isclose(x, x), find.isin(x, row), find.nonzero(x)
    for f in TESTS:
        f(x)
    for f in LOGIC:
        f(truth, truth)
    _both_ways(arithmetic.where(truth, x, x), arithmetic.where(truth, x, 0.0), x.masked_fill(truth, 0.0))
    _both_ways(*(f(x, x, x) for f in (blend.addcmul, blend.addcdiv, blend.lerp, bounds.clamp)))
    _both_ways(x.clone(), shape.transpose(x, 0, 1).clone(), flip.flip(x, 0), flip.roll(x, 1, 0))
    with no_grad():
        x.detach().add_(x).mul_(2.0).zero_()


def _reductions(side: int) -> None:
    x = _zeros(side, 2, side)
    for f in REDUCTIONS:
        for dim in (0, 1, 2):
            _both_ways(f(x, dim))
    for dim in (0, 1, 2):
        _both_ways(reduce.norm(x, 2, dim), statistics.nansum(x, dim))
        _both_ways(reduce.std(x, dim), scan.cumsum(x, dim), scan.cumprod(x, dim))
        for along in (running.cummax, running.cummin, sort.sort):
            _both_ways(along(x, dim).values)
        _both_ways(sort.topk(x, 2, dim).values)
        _both_ways(*(f(x, dim) for f in (softmax.softmax, softmax.log_softmax)))
        for g in (extreme.argmax, extreme.argmin):
            g(x, dim)
    _both_ways(reduce.sum(x), reduce.mean(x), reduce.prod(x), extreme.max(x), extreme.min(x))
    reduce.all(x > 0), reduce.any(x > 0), reduce.all(x > 0, 1), reduce.any(x > 0, 1)


def _random(side: int) -> None:
    random.standard_normal(None, (side, side), np.dtype(np.float32))


def _indexing(side: int) -> None:
    x, i = _zeros(side, side), _indices(side)
    _both_ways(x[i], x[:, i], index.index_select(x, 0, i), index.index_select(x, 1, i))
    square = _indices(side, side)
    _both_ways(gather.gather(x, 0, square), gather.gather(x, 1, square), gather.scatter_add(x, 1, square, x))
    _both_ways(x[i, i], x.square(), x.tril(), x.diagonal(), x.unfold(0, 2, 1), cross.cross(x[:, :3], x[:, :3], 1))
    _both_ways(
        index_write.index_add(x, 0, i, x), index_write.index_copy(x, 1, i, x), index_write.index_fill(x, 0, i, 1.0)
    )
    _both_ways(*(scatter.scatter_reduce(x, 1, square, x, how) for how in ("sum", "prod", "amax", "amin")))
    _both_ways(scatter.scatter(x, 0, square, x))
    with no_grad():
        x.detach()[i] = 0.0
    _both_ways(F.embedding(i, x), join.cat([x, x], 0), join.cat([x, x], 1), join.stack([x, x]))
    F.one_hot(i, 4)
    _both_ways(cdist.pdist(x), cdist.cdist(x, x))
    find.bincount(i)


def _layers(side: int) -> None:
    rows = _zeros(side, side)
    _both_ways(F.linear(rows, _zeros(4, side), _zeros(4)), linear.matmul(rows, rows), linear.matmul(rows, rows[0]))
    _both_ways(linear.matmul(_zeros(3, side * side), _zeros(side * side, 3)))
    _both_ways(linear.matmul(rows[0], rows), linear.bmm(_zeros(2, side, side), _zeros(2, side, side)))
    images = _zeros(2, 4, side, side)
    for outputs, groups in ((4, 1), (4, 2), (4, 4)):
        for stride in (1, 2):
            weight, bias = _zeros(outputs, 4 // groups, 3, 3), _zeros(outputs)
            _both_ways(F.conv2d(images, weight, bias, stride, 1, groups=groups))
    for pool in (F.max_pool2d, F.avg_pool2d):
        _both_ways(pool(images, 2), pool(images, 3, 2, 1))
    _both_ways(F.adaptive_avg_pool2d(images, 1), F.pad(images, (1, 1)))
    _both_ways(*engine.grad(F.max_pool2d(images, 2).square().sum(), [images], create_graph=True))
    largest, places = F.max_pool2d(images, 2, return_indices=True)
    _both_ways(F.max_unpool2d(largest, places, 2))
    _both_ways(F.adaptive_max_pool2d(images, 3), F.fold(F.unfold(images, 2), (side, side), 2))
    _both_ways(F.interpolate(images, scale_factor=2.0, mode="bilinear"), F.pad(images, (1, 1), "reflect"))
    _both_ways(F.grid_sample(images, _zeros(2, side, side, 2), align_corners=False))
    channel = _zeros(4)
    for features in (images, _zeros(side * side, 4)):
        for training in (True, False):
            mean, var = _zeros(4, grad=False), _zeros(4, grad=False)
            _both_ways(F.batch_norm(features, mean, var, channel, channel, training))
    _both_ways(F.layer_norm(rows, side, _zeros(side), _zeros(side)), F.dropout(rows), F.dropout2d(images))
    _both_ways(F.group_norm(images, 2, channel, channel), F.instance_norm(images), F.rms_norm(rows, (side,)))
    _both_ways(F.embedding_bag(_indices(side, 9), rows), F.scaled_dot_product_attention(images, images, images))


def _recurrent(side: int) -> None:
    steps = _zeros(3, side, side)
    for make in (nn.RNN, lambda i, h: nn.RNN(i, h, nonlinearity="relu"), nn.GRU, nn.LSTM):
        _both_ways(make(side, side)(steps)[0])


def _losses(side: int) -> None:
    rows, labels = _zeros(side, side), _indices(side)
    _both_ways(F.cross_entropy(rows, labels), F.nll_loss(rows, labels), F.cross_entropy(rows, rows))
    pairs = (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.kl_div, F.binary_cross_entropy_with_logits)
    _both_ways(*(f(rows, rows.detach()) for f in (*pairs, F.binary_cross_entropy)))
    _both_ways(F.cosine_similarity(rows, rows), F.pairwise_distance(rows, rows), F.normalize(rows))
    lengths = _indices(2) + side
    _both_ways(F.ctc_loss(_zeros(side, 2, 4), _indices(2, side) + 1, lengths, lengths))


def _optimizers(side: int) -> None:
    makers: tuple[Callable[[Any], Any], ...] = (
        lambda params: optim.SGD(params, 0.1),
        lambda params: optim.SGD(params, 0.1, momentum=0.9),
        optim.Adam,
        optim.AdamW,
        lambda params: optim.Adam(params, amsgrad=True),
        *(optim.NAdam, optim.RAdam, optim.Adamax, optim.Adagrad, optim.Adadelta, optim.RMSprop, optim.Rprop),
        *(optim.ASGD, optim.FTRL),
    )
    for make in makers:
        x = _zeros(side, side)
        optimizer = make([x])
        for _ in range(2):
            optimizer.zero_grad()
            x.sum().backward()
            clip_grad_norm_(x, 1.0)
            clip_grads_with_norm_(x, 1.0, from_numpy(np.full((), 2.0)))
            clip_grad_value_(x, 1.0)
            optimizer.step()
    x = _zeros(side, side)

    def closure() -> Any:
        x.grad = None
        loss = (x * x + x).sum()
        loss.backward()
        return loss

    optim.LBFGS([x], max_iter=3).step(closure)


def perform() -> None:
    """Runs the repertoire."""
    for side in SIDES:
        for family in (_pointwise, _reductions, _random, _indexing, _layers, _recurrent, _losses, _optimizers):
            family(side)
