"""Which plan a convolution, or one of its gradients, is computed by."""

from functools import lru_cache
from math import prod

from autograd_cnn.kernels.cpu import conv_weight_plan
from autograd_cnn.kernels.cpu.conv_axis import Axis
from autograd_cnn.kernels.cpu.conv_images_plan import by_images
from autograd_cnn.kernels.cpu.conv_lines_plan import by_lines
from autograd_cnn.kernels.cpu.conv_plan import Correlation
from autograd_cnn.kernels.cpu.conv_product import by_product
from autograd_cnn.kernels.cpu.microkernel import VECTOR_BYTES
from autograd_cnn.kernels.cpu.winograd_plan import applies, by_winograd
from autograd_cnn.kernels.cpu.winograd_weight_plan import by_winograd_turned

PLANS = 256  # kept
MANY_PIXELS = 4096  # of a result: turning the weight pays, so that each of its rows is read from one place


@lru_cache(PLANS)
def forward_plan(x_shape, w_shape, out_shape, stride, padding, dilation, groups, itemsize):
    rows, channels, *kernel = w_shape
    size = prod(kernel)
    distances = size, channels * size, rows // groups * channels * size
    axes = _axes(x_shape, out_shape, kernel, stride, padding, dilation, transposed=False)
    lanes = VECTOR_BYTES // itemsize
    return _fastest(Correlation(x_shape[0], groups, channels, rows // groups, axes, *distances, False, lanes))


@lru_cache(PLANS)
def grad_input_plan(g_shape, w_shape, out_shape, stride, padding, dilation, groups, itemsize):
    channels, rows, *kernel = w_shape
    size = prod(kernel)
    turned = g_shape[0] * prod(out_shape[2:]) >= MANY_PIXELS
    group = channels // groups
    distances = (size, group * size, rows * group * size) if turned else (rows * size, size, group * rows * size)
    axes = _axes(g_shape, out_shape, kernel, stride, padding, dilation, transposed=True)
    lanes = VECTOR_BYTES // itemsize
    return _fastest(Correlation(g_shape[0], groups, group, rows, axes, *distances, turned, lanes))


@lru_cache(PLANS)
def grad_weight_plan(g_shape, x_shape, out_shape, stride, padding, dilation, groups, itemsize):
    plan = conv_weight_plan.grad_weight_plan(g_shape, x_shape, out_shape, stride, padding, dilation, groups, itemsize)
    if groups == 1 and (*out_shape[2:], *stride, *dilation) == (3, 3, 1, 1, 1, 1):
        turned = by_winograd_turned(g_shape, x_shape, padding[::2], itemsize, plan)
        return _least({"by definition": (plan.cost, plan), "winograd": turned})
    return plan


def _axes(source_shape, result_shape, kernel, stride, padding, dilation, transposed):
    """The three axes; those that are missing before the others have size 1."""
    sizes = zip(source_shape[2:], result_shape[2:], kernel, padding[::2], stride, dilation, strict=True)
    axes = [Axis(*numbers, transposed) for numbers in sizes]
    return (*[Axis(1, 1, 1, 0, 1, 1, transposed)] * (3 - len(axes)), *axes)


def candidates(problem):
    """(estimate of the time, plan) by name."""
    plans = {"images": by_images(problem), "lines": by_lines(problem)}
    x = problem.axes[-1]
    if x.kernel > 1 and not x.transposed:
        plans["copied lines"] = by_lines(problem, copied=True)
    product = by_product(problem)
    if product is not None:
        plans["product"] = product
    if applies(problem):
        plans["winograd"] = by_winograd(problem, _least(plans))
    return plans


def _least(plans):
    return min(plans.values(), key=lambda candidate: candidate[0])[1]


def _fastest(problem):
    return _least(candidates(problem))
