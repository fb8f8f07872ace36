"""Convolution of 1 x 1 kernels that stay on their pixel: for each image a product of the weight and its pixels."""

from math import prod
from typing import NamedTuple

from autograd_cnn.kernels.cpu.contraction import multiplies_planes, multiply_planes
from autograd_cnn.kernels.cpu.conv_axis import ceil_div

COST = 1.05  # cycles of a product over those of its multiplications


class ProductPlan(NamedTuple):
    """The shapes of the operands."""

    weight: tuple  # as it lies in memory
    turned: bool
    planes: tuple  # images, channels, pixels
    out: tuple


def by_product(problem):
    """(estimate of the time, ProductPlan), or None where the product is none that `multiply_planes` can compute."""
    if problem.groups > 1 or not all(axis.plain() for axis in problem.axes):
        return None
    rows, channels, pixels = problem.rows, problem.channels, prod(problem.source)
    turned = problem.axes[-1].transposed
    strides = (1, rows) if turned else (channels, 1)
    planes = problem.images, channels, pixels
    kind, itemsize = ("f", 4) if problem.float32 else ("d", 8)
    in_bytes = [tuple(itemsize * n for n in steps) for steps in (strides, (channels * pixels, pixels, 1))]
    if not multiplies_planes((rows, channels), in_bytes[0], planes, in_bytes[1], kind):
        return None
    cost = problem.images * rows * channels * ceil_div(pixels, problem.lanes) / 2 * COST
    weight = (channels, rows) if turned else (rows, channels)
    return cost, ProductPlan(weight, turned, planes, (problem.images, rows, pixels))


def multiply(source, weight, bias, plan, activation, out):
    """Flat arrays; bias may be None."""
    weight = weight.reshape(plan.weight)
    weight = weight.T if plan.turned else weight
    multiply_planes(weight, source.reshape(plan.planes), bias, activation, out.reshape(plan.out))
