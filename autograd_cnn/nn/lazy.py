"""Lazy layers: they learn how many features their input has from the first one, and become the layer they stand for."""

from __future__ import annotations

from typing import Any, ClassVar

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.nn.batchnorm import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d
from autograd_cnn.nn.conv import Conv1d, Conv2d, Conv3d, Convolution, ForwardConvolution
from autograd_cnn.nn.conv_transpose import (
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    TransposedConvolution,
)
from autograd_cnn.nn.instancenorm import InstanceNorm, InstanceNorm1d, InstanceNorm2d, InstanceNorm3d
from autograd_cnn.nn.linear import Linear
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.uninitialized import Uninitialized, UninitializedBuffer, UninitializedParameter


class LazyModule(Module):
    """A layer whose parameters get their shapes from the first input; then it is one of `cls_to_become`."""

    cls_to_become: ClassVar[type[Module]]

    def has_uninitialized_params(self) -> bool:
        """Whether there are parameters or buffers without a shape."""
        members = (*self._parameters.values(), *self._buffers.values())
        return any(isinstance(member, Uninitialized) for member in members)

    def initialize_parameters(self, input: Any) -> None:
        """Makes the parameters for inputs like this one."""
        raise NotImplementedError(f"{type(self).__name__}.initialize_parameters")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.initialize_parameters(*args, **kwargs)
        if "cls_to_become" in vars(type(self)):  # not of a class that derives from a lazy layer
            self.__class__ = self.cls_to_become  # type: ignore[assignment]
            return self(*args, **kwargs)
        return super().__call__(*args, **kwargs)

    def _forget(self) -> None:
        """Puts what has no shape yet in the place of all parameters and running statistics."""
        for name, parameter in self._parameters.items():
            if parameter is not None:
                lazy = UninitializedParameter(device=parameter.device, dtype=parameter.dtype)
                self.register_parameter(name, lazy)
        for name, buffer in self._buffers.items():
            if buffer is not None and buffer.shape:
                self.register_buffer(name, UninitializedBuffer(buffer.device, buffer.dtype))

    def _materialize(self, **shapes: tuple[int, ...]) -> None:
        for name, shape in shapes.items():
            member = getattr(self, name)
            if isinstance(member, Uninitialized):
                member.materialize(shape)

    def _features(self, x: Any, ranks: tuple[int, ...]) -> int:
        """How many channels x has, of as many dimensions as an image has or a batch."""
        shape = tuple(x.shape)
        if len(shape) not in ranks:
            expected = " or ".join(str(rank) for rank in ranks)
            raise ShapeError(f"{type(self).__name__}: input must have {expected} dimensions, got shape {list(shape)}")
        return int(shape[1 if len(shape) == ranks[-1] else 0])


class LazyLinear(LazyModule, Linear):
    """A Linear that takes `in_features` from its first input.

    >>> import autograd_cnn as ag
    >>> layer = LazyLinear(2)
    >>> layer(ag.zeros(3, 4)).shape
    (3, 2)
    >>> layer
    Linear(in_features=4, out_features=2, bias=True)
    """

    cls_to_become = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, out_features, bias, device, dtype)
        self._forget()

    def reset_parameters(self) -> None:
        """Draws new initial values, where there are parameters."""
        if self.in_features and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Any) -> None:
        """Makes the parameters for inputs like this one."""
        if not input.shape:
            raise ShapeError("LazyLinear: input must have at least one dimension, got shape []")
        self.in_features = int(input.shape[-1])
        if self.has_uninitialized_params():
            self._materialize(weight=(self.out_features, self.in_features), bias=(self.out_features,))
            self.reset_parameters()


class LazyConvolution(LazyModule, Convolution):
    """What lazy convolutions of both directions share."""

    def reset_parameters(self) -> None:
        """Draws new initial values, where there are parameters."""
        if self.in_channels and not self.has_uninitialized_params():
            super().reset_parameters()

    def initialize_parameters(self, input: Any, *_: Any) -> None:
        """Makes the parameters for inputs like this one."""
        channels = self._features(input, (self.axes + 1, self.axes + 2))
        if channels % self.groups:
            layer = type(self).__name__
            raise ArgumentError(f"{layer}: input's {channels} channels are not divisible by groups {self.groups}")
        self.in_channels = channels
        if self.has_uninitialized_params():
            self._materialize(weight=(*self._weight_channels(), *self.kernel_size), bias=(self.out_channels,))
            self.reset_parameters()


class LazyForward(LazyConvolution, ForwardConvolution):
    """What LazyConv1d, LazyConv2d and LazyConv3d share."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        settings = stride, padding, dilation, groups, bias, padding_mode, device, dtype
        super().__init__(0, out_channels, kernel_size, *settings)
        self._forget()


class LazyTransposed(LazyConvolution, TransposedConvolution):
    """What LazyConvTranspose1d, LazyConvTranspose2d and LazyConvTranspose3d share."""

    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        settings = stride, padding, output_padding, groups, bias, dilation, padding_mode, device, dtype
        super().__init__(0, out_channels, kernel_size, *settings)
        self._forget()


class LazyNorm(LazyModule, BatchNorm):
    """What lazy normalisations share."""

    def initialize_parameters(self, input: Any) -> None:
        """Makes the parameters for inputs like this one."""
        self.num_features = self._features(input, self.dimensions)
        if self.has_uninitialized_params():
            one = (self.num_features,)
            self._materialize(weight=one, bias=one, running_mean=one, running_var=one)
            self.reset_parameters()


class LazyBatch(LazyNorm):
    """What LazyBatchNorm1d, LazyBatchNorm2d and LazyBatchNorm3d share."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self._forget()

    def _features(self, x: Any, ranks: tuple[int, ...]) -> int:
        super()._features(x, ranks)
        return int(x.shape[1])


class LazyInstance(LazyNorm, InstanceNorm):
    """What LazyInstanceNorm1d, LazyInstanceNorm2d and LazyInstanceNorm3d share."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)
        self._forget()


class LazyConv1d(LazyForward, Conv1d):
    """A Conv1d that takes `in_channels` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyConv1d(8, 3)(ag.zeros(2, 3, 9)).shape
    (2, 8, 7)
    """

    cls_to_become = Conv1d


class LazyConv2d(LazyForward, Conv2d):
    """A Conv2d that takes `in_channels` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyConv2d(8, 3)(ag.zeros(2, 3, 6, 6)).shape
    (2, 8, 4, 4)
    """

    cls_to_become = Conv2d


class LazyConv3d(LazyForward, Conv3d):
    """A Conv3d that takes `in_channels` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyConv3d(8, 3)(ag.zeros(2, 3, 5, 6, 6)).shape
    (2, 8, 3, 4, 4)
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(LazyTransposed, ConvTranspose1d):
    """A ConvTranspose1d that takes `in_channels` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyConvTranspose1d(8, 2, stride=2)(ag.zeros(2, 3, 9)).shape
    (2, 8, 18)
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(LazyTransposed, ConvTranspose2d):
    """A ConvTranspose2d that takes `in_channels` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyConvTranspose2d(8, 2, stride=2)(ag.zeros(2, 3, 6, 6)).shape
    (2, 8, 12, 12)
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(LazyTransposed, ConvTranspose3d):
    """A ConvTranspose3d that takes `in_channels` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyConvTranspose3d(8, 2, stride=2)(ag.zeros(2, 3, 5, 6, 6)).shape
    (2, 8, 10, 12, 12)
    """

    cls_to_become = ConvTranspose3d


class LazyBatchNorm1d(LazyBatch, BatchNorm1d):
    """A BatchNorm1d that takes `num_features` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyBatchNorm1d()(ag.zeros(2, 3, 9)).shape
    (2, 3, 9)
    """

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(LazyBatch, BatchNorm2d):
    """A BatchNorm2d that takes `num_features` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyBatchNorm2d()(ag.zeros(2, 3, 6, 6)).shape
    (2, 3, 6, 6)
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(LazyBatch, BatchNorm3d):
    """A BatchNorm3d that takes `num_features` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyBatchNorm3d()(ag.zeros(2, 3, 5, 6, 6)).shape
    (2, 3, 5, 6, 6)
    """

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(LazyInstance, InstanceNorm1d):
    """A InstanceNorm1d that takes `num_features` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyInstanceNorm1d()(ag.zeros(2, 3, 9)).shape
    (2, 3, 9)
    """

    cls_to_become = InstanceNorm1d


class LazyInstanceNorm2d(LazyInstance, InstanceNorm2d):
    """A InstanceNorm2d that takes `num_features` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyInstanceNorm2d()(ag.zeros(2, 3, 6, 6)).shape
    (2, 3, 6, 6)
    """

    cls_to_become = InstanceNorm2d


class LazyInstanceNorm3d(LazyInstance, InstanceNorm3d):
    """A InstanceNorm3d that takes `num_features` from its first input.

    >>> import autograd_cnn as ag
    >>> LazyInstanceNorm3d()(ag.zeros(2, 3, 5, 6, 6)).shape
    (2, 3, 5, 6, 6)
    """

    cls_to_become = InstanceNorm3d
