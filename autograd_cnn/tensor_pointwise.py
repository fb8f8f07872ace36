"""Pointwise functions, reductions and scans as methods of their first argument: the op functions themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_cnn.graph.base import TensorBase
from autograd_cnn.ops import (
    activation,
    arithmetic,
    blend,
    bounds,
    closeness,
    comparison,
    elementwise,
    exponential,
    extreme,
    find,
    piecewise,
    reduce,
    rounding,
    running,
    scan,
    statistics,
    trigonometric,
)
from autograd_cnn.ops import softmax as softmaxes
from autograd_cnn.ops import sort as sorting

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Pointwise(TensorBase):
    """Methods that leave their tensor as it is, family by family."""

    __slots__ = ()

    add = arithmetic.add
    sub = subtract = arithmetic.sub
    mul = multiply = arithmetic.mul
    div = divide = arithmetic.div
    true_divide = blend.true_divide
    floor_divide = arithmetic.floor_divide
    remainder = arithmetic.remainder
    fmod = blend.fmod
    pow = arithmetic.pow
    addcmul = blend.addcmul
    addcdiv = blend.addcdiv
    lerp = blend.lerp
    maximum = arithmetic.maximum
    minimum = arithmetic.minimum
    fmax = bounds.fmax
    fmin = bounds.fmin
    clamp = clip = bounds.clamp
    clamp_min = bounds.clamp_min
    clamp_max = bounds.clamp_max

    def where(self: Any, condition: Tensor, other: Tensor | Number) -> Tensor:
        """Self where `condition` holds, else `other`."""
        return arithmetic.where(condition, self, other)

    eq = comparison.eq
    ne = not_equal = comparison.ne
    lt = less = comparison.lt
    le = less_equal = comparison.le
    gt = greater = comparison.gt
    ge = greater_equal = comparison.ge
    logical_and = comparison.logical_and
    logical_or = comparison.logical_or
    logical_xor = comparison.logical_xor
    logical_not = comparison.logical_not
    isnan = comparison.isnan
    isinf = comparison.isinf
    isfinite = comparison.isfinite
    isposinf = closeness.isposinf
    isneginf = closeness.isneginf
    isclose = closeness.isclose
    allclose = closeness.allclose
    equal = closeness.equal
    signbit = closeness.signbit

    neg = negative = elementwise.neg
    positive = blend.positive
    abs = absolute = elementwise.abs
    sign = rounding.sign
    sgn = rounding.sgn
    square = elementwise.square
    sqrt = elementwise.sqrt
    rsqrt = elementwise.rsqrt
    reciprocal = elementwise.reciprocal
    floor = rounding.floor
    ceil = rounding.ceil
    round = rounding.round
    trunc = fix = rounding.trunc
    frac = blend.frac

    exp = elementwise.exp
    exp2 = exponential.exp2
    expm1 = elementwise.expm1
    log = elementwise.log
    log2 = exponential.log2
    log10 = exponential.log10
    log1p = elementwise.log1p
    logaddexp = exponential.logaddexp
    logaddexp2 = exponential.logaddexp2
    xlogy = exponential.xlogy
    logit = exponential.logit
    erf = elementwise.erf
    erfc = exponential.erfc
    sin = elementwise.sin
    cos = elementwise.cos
    tan = elementwise.tan
    asin = arcsin = trigonometric.asin
    acos = arccos = trigonometric.acos
    atan = arctan = trigonometric.atan
    atan2 = arctan2 = arithmetic.atan2
    sinh = trigonometric.sinh
    cosh = trigonometric.cosh
    tanh = elementwise.tanh
    asinh = arcsinh = trigonometric.asinh
    acosh = arccosh = trigonometric.acosh
    atanh = arctanh = trigonometric.atanh
    hypot = trigonometric.hypot
    deg2rad = trigonometric.deg2rad
    rad2deg = trigonometric.rad2deg

    sigmoid = elementwise.sigmoid

    def relu(self: Any) -> Tensor:
        """max(self, 0)."""
        return activation.relu(self)

    prelu = activation.prelu
    hardshrink = piecewise.hardshrink
    softmax = softmaxes.softmax
    log_softmax = softmaxes.log_softmax

    sum = reduce.sum
    sum_to_size = reduce.sum_to_size
    nansum = statistics.nansum
    mean = reduce.mean
    nanmean = statistics.nanmean
    prod = reduce.prod
    var = reduce.var
    std = reduce.std
    norm = reduce.norm
    logsumexp = reduce.logsumexp
    all = reduce.all
    any = reduce.any
    amax = extreme.amax
    amin = extreme.amin
    aminmax = statistics.aminmax
    max = extreme.max
    min = extreme.min
    argmax = extreme.argmax
    argmin = extreme.argmin
    count_nonzero = statistics.count_nonzero

    cumsum = scan.cumsum
    cumprod = scan.cumprod
    cummax = running.cummax
    cummin = running.cummin
    diff = running.diff
    sort = sorting.sort
    argsort = sorting.argsort
    msort = sorting.msort
    topk = sorting.topk
    nonzero = find.nonzero
    argwhere = find.argwhere
    bincount = find.bincount
