"""Spatial transformers: images and volumes read at the points of a grid, and the grids of affine maps.

M. Jaderberg et al.: "Spatial transformer networks", 2015.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.graph.base import wrap
from autograd_cnn.graph.op import Op
from autograd_cnn.graph.record import apply
from autograd_cnn.ops.join import stack
from autograd_cnn.ops.linear import matmul
from autograd_cnn.ops.operand import require_floating
from autograd_cnn.ops.reduce import sum as sum_
from autograd_cnn.ops.size import as_size

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor
    from autograd_cnn.typing import Ints

MODES = {"nearest": 0, "bilinear": 1, "bicubic": 2}  # as the kernels number them
PADDINGS = {"zeros": 0, "border": 1, "reflection": 2}


class Sampling(Op, abstract=True):
    """How points are read: `orders` of derivative by each coordinate of a point, the last axis first."""

    inputs = ("x", "grid")

    def __init__(
        self, mode: int, padding: int, align_corners: bool, orders: tuple[int, ...], size: tuple[int, ...] | None = None
    ) -> None:
        self.mode = mode
        self.padding = padding
        self.align_corners = align_corners
        self.orders = orders
        if size is not None:
            self.size = size

    def settings(self) -> tuple[int, int, bool, tuple[int, ...]]:
        return self.mode, self.padding, self.align_corners, self.orders

    def slopes(self, g: Any, x: Any, grid: Tensor) -> Any:
        """The gradient for the grid, where that of x at its points is g."""
        by_axis = []
        for axis, order in enumerate(self.orders):
            orders = (*self.orders[:axis], order + 1, *self.orders[axis + 1 :])
            y = apply(GridSample(self.mode, self.padding, self.align_corners, orders), x, grid)
            by_axis.append(sum_(g * y, 1))
        return stack(by_axis, -1)


class GridSample(Sampling):
    def infer(self, x: Any, grid: Tensor) -> Any:
        return (*x.shape[:2], *grid.shape[1:-1]), x.dtype

    def compute(self, k: Any, out: Any, x: Any, grid: Tensor) -> None:
        k.grid_sample(x, grid, *self.settings(), out)

    def vjp_x(self, g: Any, grid: Tensor, x_shape: Any) -> Any:
        return apply(GridSplat(*self.settings(), x_shape[2:]), g, grid)

    def vjp_grid(self, g: Any, x: Any, grid: Tensor) -> Any:
        return self.slopes(g, x, grid)

    def gradient(self, k: Any, out: Sequence[Any], g: Any, x: Any, grid: Tensor) -> None:
        if out[0] is not None:
            k.grid_splat(g, grid, *self.settings(), out[0])
        if out[1] is not None:
            k.grid_slopes(g, x, grid, *self.settings(), out[1])


class GridSplat(Sampling):
    """The adjoint of reading images of size `size` at the points of a grid: what is at the points is added to them."""

    def infer(self, x: Any, grid: Tensor) -> Any:
        return (*x.shape[:2], *self.size), x.dtype

    def compute(self, k: Any, out: Any, x: Any, grid: Tensor) -> None:
        k.grid_splat(x, grid, *self.settings(), out)

    def vjp_x(self, g: Any, grid: Tensor) -> Any:
        return apply(GridSample(*self.settings()), g, grid)

    def vjp_grid(self, g: Any, x: Any, grid: Tensor) -> Any:
        return self.slopes(x, g, grid)


def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros", align_corners: bool | None = None
) -> Tensor:
    """input at the points of a grid (Jaderberg et al. 2015).

    input: (N, C, H, W), grid: (N, OH, OW, 2), y: (N, C, OH, OW); or input: (N, C, D, H, W), grid: (N, OD, OH, OW, 3).
    The first number of a point says where it is along input's last axis, from -1 to 1: with `align_corners` from the
    centre of the first element to that of the last, else from edge to edge.  `mode` is "bilinear" (of two neighbours
    along each axis), "nearest" or, for images, "bicubic" (of four, Keys 1981).  What is outside of input is 0, or with
    `padding_mode` "border" the outermost element, or with "reflection" input as in a mirror at the edge (at the centres
    of the outermost elements with `align_corners`).

    Raises ShapeError where input and grid do not fit or input is empty, ArgumentError for an unknown mode or
    padding_mode, and for "bicubic" of volumes; DTypeError for mixed dtypes.

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    >>> grid_sample(x, ag.tensor([[[[0.0, 0.0], [0.5, 0.5], [1.0, -0.5]]]]))
    tensor([[[[2.5000, 4.0000, 1.0000]]]])
    """
    require_floating("grid_sample", input=input, grid=grid)
    shape, points = input.array.shape, grid.array.shape
    axes = len(shape) - 2
    if axes not in (2, 3):
        raise ShapeError(f"grid_sample: input must be (N, C, H, W) or (N, C, D, H, W), got shape {list(shape)}")
    if mode not in MODES:
        raise ArgumentError(f"grid_sample: mode must be one of {', '.join(MODES)}, got {mode!r}")
    if padding_mode not in PADDINGS:
        raise ArgumentError(f"grid_sample: padding_mode must be one of {', '.join(PADDINGS)}, got {padding_mode!r}")
    if mode == "bicubic" and axes == 3:
        raise ArgumentError("grid_sample: mode 'bicubic' takes images, got volumes")
    if len(points) != axes + 2 or points[0] != shape[0] or points[-1] != axes:
        wanted = f"({shape[0]}, {'OD, ' if axes == 3 else ''}OH, OW, {axes})"
        raise ShapeError(f"grid_sample: grid must be {wanted} for input of shape {list(shape)}, got {list(points)}")
    if 0 in shape[2:]:
        raise ShapeError(f"grid_sample: input has an empty image, shape {list(shape)}")
    return apply(GridSample(MODES[mode], PADDINGS[padding_mode], bool(align_corners), (0,) * axes), input, grid)


def affine_grid(theta: Tensor, size: Ints, align_corners: bool | None = None) -> Tensor:
    """The points at which `grid_sample` reads images as affine maps take them (Jaderberg et al. 2015).

    grid[n, i, j] = theta[n] (x_j, y_i, 1) where x_j and y_i go from -1 to 1 as `align_corners` tells in `grid_sample`.

    theta: (N, 2, 3) for `size` (N, C, H, W), grid: (N, H, W, 2); or theta: (N, 3, 4) for (N, C, D, H, W), grid:
    (N, D, H, W, 3).  Raises ShapeError where theta does not fit, ArgumentError for a size of another length or below 1.

    >>> import autograd_cnn as ag
    >>> affine_grid(ag.tensor([[[1.0, 0.0, 0.5], [0.0, 1.0, 0.0]]]), (1, 1, 1, 2))
    tensor([[[[0., 0.],
              [1., 0.]]]])
    """
    require_floating("affine_grid", theta=theta)
    sizes = as_size("affine_grid", (size,))
    axes = len(sizes) - 2
    if axes not in (2, 3):
        raise ArgumentError(f"affine_grid: size must be (N, C, H, W) or (N, C, D, H, W), got {list(sizes)}")
    if min(sizes) < 1:
        raise ArgumentError(f"affine_grid: size must be positive, got {list(sizes)}")
    wanted = (sizes[0], axes, axes + 1)
    if theta.array.shape != wanted:
        got = list(theta.array.shape)
        raise ShapeError(f"affine_grid: theta must have shape {list(wanted)} for size {list(sizes)}, got {got}")
    points = wrap(theta.device.from_host(_points(sizes[2:], bool(align_corners), theta.array.dtype.char)), theta.device)
    return matmul(points, theta.transpose(1, 2)).reshape(sizes[0], *sizes[2:], axes)


@lru_cache(maxsize=16)
def _points(sizes: tuple[int, ...], align_corners: bool, dtype: str) -> Any:
    """(x, y, 1) of each pixel, or (x, y, z, 1) of each voxel, as rows."""
    lines = [np.zeros(1) if n == 1 else np.linspace(-1, 1, n) * (1 if align_corners else (n - 1) / n) for n in sizes]
    axes = np.meshgrid(*lines, indexing="ij")
    return np.stack([*(axis.ravel() for axis in reversed(axes)), np.ones(axes[0].size)], 1).astype(dtype)
