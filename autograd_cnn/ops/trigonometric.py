"""Inverse and hyperbolic functions, and angles in degrees."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.graph.pointwise import pointwise_binary, pointwise_unary
from autograd_cnn.ops.arithmetic import RealBinary, where
from autograd_cnn.ops.elementwise import Real, rsqrt
from autograd_cnn.ops.operand import floating, pair, require_floating

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Number


class Asin(Real):
    kernel = "asin"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * rsqrt(1 - x * x)


class Acos(Real):
    kernel = "acos"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return -g * rsqrt(1 - x * x)


class Atan(Real):
    kernel = "atan"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g / (x * x + 1)


class Sinh(Real):
    kernel = "sinh"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * cosh(x)


class Cosh(Real):
    kernel = "cosh"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * sinh(x)


class Asinh(Real):
    kernel = "asinh"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * rsqrt(x * x + 1)


class Acosh(Real):
    kernel = "acosh"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g * rsqrt(x * x - 1)


class Atanh(Real):
    kernel = "atanh"

    def vjp_x(self, g: Any, x: Any) -> Any:
        return g / (1 - x * x)


class Hypot(RealBinary):
    """Its gradient at the origin is 0."""

    kernel = "hypot"

    def vjp_x(self, g: Any, x: Any, y: Any) -> Any:
        return g * _over(x, y)

    def vjp_other(self, g: Any, other: Any, y: Any) -> Any:
        return g * _over(other, y)


def _over(side: Any, hypotenuse: Any) -> Any:
    origin = hypotenuse == 0
    return where(origin, 0.0, side / where(origin, 1.0, hypotenuse))


ASIN, ACOS, ATAN, SINH, COSH = Asin(), Acos(), Atan(), Sinh(), Cosh()
ASINH, ACOSH, ATANH, HYPOT = Asinh(), Acosh(), Atanh(), Hypot()


def asin(input: Tensor) -> Tensor:
    """The angle in [-pi / 2, pi / 2] whose sine is input; nan outside of [-1, 1].

    >>> import autograd_cnn as ag
    >>> asin(ag.tensor([0.0, 0.5, 1.0]))
    tensor([0.0000, 0.5236, 1.5708])
    """
    return pointwise_unary(ASIN, input)


def acos(input: Tensor) -> Tensor:
    """The angle in [0, pi] whose cosine is input; nan outside of [-1, 1].

    >>> import autograd_cnn as ag
    >>> acos(ag.tensor([0.0, 0.5, 1.0]))
    tensor([1.5708, 1.0472, 0.0000])
    """
    return pointwise_unary(ACOS, input)


def atan(input: Tensor) -> Tensor:
    """The angle in [-pi / 2, pi / 2] whose tangent is input.

    >>> import autograd_cnn as ag
    >>> atan(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7854])
    """
    return pointwise_unary(ATAN, input)


def sinh(input: Tensor) -> Tensor:
    """The hyperbolic sine: (e^x - e^-x) / 2.

    >>> import autograd_cnn as ag
    >>> sinh(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 1.1752])
    """
    return pointwise_unary(SINH, input)


def cosh(input: Tensor) -> Tensor:
    """The hyperbolic cosine: (e^x + e^-x) / 2.

    >>> import autograd_cnn as ag
    >>> cosh(ag.tensor([0.0, 1.0]))
    tensor([1.0000, 1.5431])
    """
    return pointwise_unary(COSH, input)


def asinh(input: Tensor) -> Tensor:
    """The number whose sinh is input: ln(x + sqrt(x^2 + 1)).

    >>> import autograd_cnn as ag
    >>> asinh(ag.tensor([0.0, 1.0]))
    tensor([0.0000, 0.8814])
    """
    return pointwise_unary(ASINH, input)


def acosh(input: Tensor) -> Tensor:
    """The number whose cosh is input: ln(x + sqrt(x^2 - 1)); nan below 1.

    >>> import autograd_cnn as ag
    >>> acosh(ag.tensor([1.0, 2.0]))
    tensor([0.0000, 1.3170])
    """
    return pointwise_unary(ACOSH, input)


def atanh(input: Tensor) -> Tensor:
    """The number whose tanh is input: ln((1 + x) / (1 - x)) / 2; nan outside of [-1, 1].

    >>> import autograd_cnn as ag
    >>> atanh(ag.tensor([0.0, 0.5]))
    tensor([0.0000, 0.5493])
    """
    return pointwise_unary(ATANH, input)


def hypot(input: Tensor, other: Tensor | Number) -> Tensor:
    """The length of (x, other): sqrt(x^2 + other^2), without its overflow; its gradient at (0, 0) is 0.

    Raises DTypeError for integers.

    >>> import autograd_cnn as ag
    >>> hypot(ag.tensor([3.0]), ag.tensor([4.0]))
    tensor([5.])
    """
    input, other = pair("hypot", input, other)
    require_floating("hypot", input=input, other=other)
    return pointwise_binary(HYPOT, input, other)


def deg2rad(input: Tensor) -> Tensor:
    """Degrees as radians: x * pi / 180.

    >>> import autograd_cnn as ag
    >>> deg2rad(ag.tensor([0.0, 180.0]))
    tensor([0.0000, 3.1416])
    """
    return floating("deg2rad", input) * (math.pi / 180)


def rad2deg(input: Tensor) -> Tensor:
    """Radians as degrees: x * 180 / pi.

    >>> import autograd_cnn as ag
    >>> rad2deg(ag.tensor([0.0, 3.0]))
    tensor([  0.0000, 171.8873])
    """
    return floating("rad2deg", input) * (180 / math.pi)
