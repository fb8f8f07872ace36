"""Functions as methods of their first argument: the op functions themselves, so that a call costs one call."""

from __future__ import annotations

from typing import Any

from autograd_cnn.graph.base import TensorBase
from autograd_cnn.ops import (
    activation,
    arithmetic,
    comparison,
    elementwise,
    extreme,
    join,
    linear,
    reduce,
    rounding,
    scan,
)
from autograd_cnn.ops import gather as gathering
from autograd_cnn.ops import index as indexing
from autograd_cnn.ops import shape as shaping
from autograd_cnn.ops import softmax as softmaxes


class Methods(TensorBase):
    """Methods that leave their tensor as it is, family by family."""

    __slots__ = ()

    add = arithmetic.add
    sub = arithmetic.sub
    mul = arithmetic.mul
    div = arithmetic.div
    pow = arithmetic.pow
    maximum = arithmetic.maximum
    minimum = arithmetic.minimum
    remainder = arithmetic.remainder
    floor_divide = arithmetic.floor_divide
    eq = comparison.eq
    ne = comparison.ne
    lt = comparison.lt
    le = comparison.le
    gt = comparison.gt
    ge = comparison.ge
    logical_and = comparison.logical_and
    logical_or = comparison.logical_or
    logical_xor = comparison.logical_xor

    def where(self, condition: Any, other: Any) -> Any:
        """Self where `condition` holds, else `other`."""
        return arithmetic.where(condition, self, other)

    clamp = rounding.clamp
    clip = clamp

    exp = elementwise.exp
    expm1 = elementwise.expm1
    log = elementwise.log
    log1p = elementwise.log1p
    sqrt = elementwise.sqrt
    rsqrt = elementwise.rsqrt
    reciprocal = elementwise.reciprocal
    sin = elementwise.sin
    cos = elementwise.cos
    tan = elementwise.tan
    tanh = elementwise.tanh
    sigmoid = elementwise.sigmoid
    erf = elementwise.erf
    neg = elementwise.neg
    abs = elementwise.abs
    sign = rounding.sign
    square = elementwise.square
    floor = rounding.floor
    ceil = rounding.ceil
    round = rounding.round
    trunc = rounding.trunc
    isnan = comparison.isnan
    isinf = comparison.isinf
    isfinite = comparison.isfinite
    logical_not = comparison.logical_not

    def relu(self) -> Any:
        """max(self, 0)."""
        return activation.relu(self)

    softmax = softmaxes.softmax
    log_softmax = softmaxes.log_softmax
    sum = reduce.sum
    mean = reduce.mean
    prod = reduce.prod
    amax = extreme.amax
    amin = extreme.amin
    argmax = extreme.argmax
    argmin = extreme.argmin
    all = reduce.all
    any = reduce.any
    max = extreme.max
    min = extreme.min
    norm = reduce.norm
    var = reduce.var
    std = reduce.std
    logsumexp = reduce.logsumexp
    cumsum = scan.cumsum
    cumprod = scan.cumprod
    sum_to_size = reduce.sum_to_size
    reshape = shaping.reshape
    view = shaping.view

    def view_as(self, other: Any) -> Any:
        """The elements of self in the shape of `other`, in the same memory."""
        return shaping.view(self, other.shape)

    def reshape_as(self, other: Any) -> Any:
        """The elements of self in the shape of `other`, a view where possible."""
        return shaping.reshape(self, other.shape)

    flatten = shaping.flatten

    def ravel(self) -> Any:
        """The elements of self in one dimension, a view where possible."""
        return shaping.reshape(self, -1)

    unflatten = shaping.unflatten
    permute = shaping.permute
    transpose = shaping.transpose
    t = shaping.t

    @property
    def T(self) -> Any:
        """A view with all dimensions in reverse order."""
        return shaping.permute(self, *range(self.ndim - 1, -1, -1))

    @property
    def mT(self) -> Any:
        """A view with the last two dimensions swapped."""
        return shaping.transpose(self, -2, -1)

    expand = shaping.expand

    def expand_as(self, other: Any) -> Any:
        """A view of self repeated to the shape of `other`."""
        return shaping.expand(self, other.shape)

    def broadcast_to(self, size: Any) -> Any:
        """A view of self repeated to `size`."""
        return shaping.expand(self, size)

    squeeze = shaping.squeeze
    unsqueeze = shaping.unsqueeze

    def split(self, split_size: Any, dim: Any = 0) -> tuple[Any, ...]:
        """Views of parts of `dim`, see `split`."""
        return join.split(self, split_size, dim)

    chunk = join.chunk
    unbind = join.unbind
    narrow = shaping.narrow
    select = shaping.select
    flip = shaping.flip
    movedim = shaping.movedim
    roll = join.roll
    tile = shaping.tile
    take_along_dim = gathering.take_along_dim
    index_put_ = indexing.index_put_
    repeat = shaping.repeat
    gather = gathering.gather
    scatter_add = gathering.scatter_add
    index_select = indexing.index_select
    masked_fill = indexing.masked_fill
    masked_select = indexing.masked_select
    matmul = linear.matmul
    mm = linear.mm
    bmm = linear.bmm
    mv = linear.mv
    outer = linear.outer
    addmm = linear.addmm
    dot = linear.dot
