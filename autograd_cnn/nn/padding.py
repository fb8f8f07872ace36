"""Padding layers: more elements at the ends of sequences, images and volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from autograd_cnn.errors import ArgumentError, DTypeError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn.module import Module

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor


class Pad(Module):
    """What padding layers share: `padding` is one number for all sides, or one for each; negative ones take away."""

    axes: ClassVar[int]
    mode: ClassVar[str] = "constant"

    def __init__(self, padding: Any) -> None:
        super().__init__()
        sides = tuple(padding) if isinstance(padding, tuple | list) else (padding,) * (2 * self.axes)
        if not all(isinstance(side, int) and not isinstance(side, bool) for side in sides):
            raise DTypeError(f"{type(self).__name__}: padding takes integers, got {padding!r}")
        if len(sides) != 2 * self.axes:
            raise ArgumentError(
                f"{type(self).__name__}: padding must be one integer or {2 * self.axes}, got {padding!r}"
            )
        self.padding = sides

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad(Pad):
    """What ConstantPad1d, ConstantPad2d and ConstantPad3d share."""

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(ConstantPad):
    """Pads sequences with `value`.

    input: (N, C, L) or (C, L); `padding` is one number or (left, right).

    >>> import autograd_cnn as ag
    >>> ConstantPad1d((1, 0), 7.0)(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[7., 1., 2., 3.]])
    """

    axes = 1


class ConstantPad2d(ConstantPad):
    """Pads images with `value`.

    input: (N, C, H, W) or (C, H, W); `padding` is one number or (left, right, top, bottom).

    >>> import autograd_cnn as ag
    >>> ConstantPad2d(2, 0.5)(ag.ones(1, 2, 3, 4)).shape
    (1, 2, 7, 8)
    """

    axes = 2


class ConstantPad3d(ConstantPad):
    """Pads volumes with `value`.

    input: (N, C, D, H, W) or (C, D, H, W); `padding` is one number or (left, right, top, bottom, front, back).

    >>> import autograd_cnn as ag
    >>> ConstantPad3d(2, 0.5)(ag.ones(1, 2, 3, 4, 5)).shape
    (1, 2, 7, 8, 9)
    """

    axes = 3


class ZeroPad1d(ConstantPad):
    """Pads sequences with zeros.

    input: (N, C, L) or (C, L); `padding` is one number or (left, right).

    >>> import autograd_cnn as ag
    >>> ZeroPad1d((1, 0))(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[0., 1., 2., 3.]])
    """

    axes = 1

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad):
    """Pads images with zeros.

    input: (N, C, H, W) or (C, H, W); `padding` is one number or (left, right, top, bottom).

    >>> import autograd_cnn as ag
    >>> ZeroPad2d(2)(ag.ones(1, 2, 3, 4)).shape
    (1, 2, 7, 8)
    """

    axes = 2

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad):
    """Pads volumes with zeros.

    input: (N, C, D, H, W) or (C, D, H, W); `padding` is one number or (left, right, top, bottom, front, back).

    >>> import autograd_cnn as ag
    >>> ZeroPad3d(2)(ag.ones(1, 2, 3, 4, 5)).shape
    (1, 2, 7, 8, 9)
    """

    axes = 3

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(Pad):
    """Pads sequences with the elements from the second on, in reverse order.

    input: (N, C, L) or (C, L); `padding` is one number or (left, right).

    >>> import autograd_cnn as ag
    >>> ReflectionPad1d(2)(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 2., 1., 2., 3., 2., 1.]])
    """

    axes = 1
    mode = "reflect"


class ReflectionPad2d(Pad):
    """Pads images with the elements from the second on, in reverse order.

    input: (N, C, H, W) or (C, H, W); `padding` is one number or (left, right, top, bottom).

    >>> import autograd_cnn as ag
    >>> ReflectionPad2d(1)(ag.ones(1, 2, 3, 4)).shape
    (1, 2, 5, 6)
    """

    axes = 2
    mode = "reflect"


class ReflectionPad3d(Pad):
    """Pads volumes with the elements from the second on, in reverse order.

    input: (N, C, D, H, W) or (C, D, H, W); `padding` is one number or (left, right, top, bottom, front, back).

    >>> import autograd_cnn as ag
    >>> ReflectionPad3d(1)(ag.ones(1, 2, 3, 4, 5)).shape
    (1, 2, 5, 6, 7)
    """

    axes = 3
    mode = "reflect"


class ReplicationPad1d(Pad):
    """Pads sequences with the outermost element.

    input: (N, C, L) or (C, L); `padding` is one number or (left, right).

    >>> import autograd_cnn as ag
    >>> ReplicationPad1d(2)(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 1., 2., 3., 3., 3.]])
    """

    axes = 1
    mode = "replicate"


class ReplicationPad2d(Pad):
    """Pads images with the outermost element.

    input: (N, C, H, W) or (C, H, W); `padding` is one number or (left, right, top, bottom).

    >>> import autograd_cnn as ag
    >>> ReplicationPad2d(1)(ag.ones(1, 2, 3, 4)).shape
    (1, 2, 5, 6)
    """

    axes = 2
    mode = "replicate"


class ReplicationPad3d(Pad):
    """Pads volumes with the outermost element.

    input: (N, C, D, H, W) or (C, D, H, W); `padding` is one number or (left, right, top, bottom, front, back).

    >>> import autograd_cnn as ag
    >>> ReplicationPad3d(1)(ag.ones(1, 2, 3, 4, 5)).shape
    (1, 2, 5, 6, 7)
    """

    axes = 3
    mode = "replicate"


class CircularPad1d(Pad):
    """Pads sequences with the elements of the other end.

    input: (N, C, L) or (C, L); `padding` is one number or (left, right).

    >>> import autograd_cnn as ag
    >>> CircularPad1d((1, 0))(ag.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3.]])
    """

    axes = 1
    mode = "circular"


class CircularPad2d(Pad):
    """Pads images with the elements of the other end.

    input: (N, C, H, W) or (C, H, W); `padding` is one number or (left, right, top, bottom).

    >>> import autograd_cnn as ag
    >>> CircularPad2d(1)(ag.ones(1, 2, 3, 4)).shape
    (1, 2, 5, 6)
    """

    axes = 2
    mode = "circular"


class CircularPad3d(Pad):
    """Pads volumes with the elements of the other end.

    input: (N, C, D, H, W) or (C, D, H, W); `padding` is one number or (left, right, top, bottom, front, back).

    >>> import autograd_cnn as ag
    >>> CircularPad3d(1)(ag.ones(1, 2, 3, 4, 5)).shape
    (1, 2, 5, 6, 7)
    """

    axes = 3
    mode = "circular"
