"""Line search: a step along a direction that satisfies the strong Wolfe conditions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple


class Point(NamedTuple):
    """A step length, with the function's value, its gradient and its slope along the direction there."""

    step: float
    value: float
    gradient: Any
    slope: float


def strong_wolfe(
    evaluate: Callable[[float], Point],
    step: float,
    start: Point,
    size: float,
    tolerance: float,
    limit: int,
    c1: float = 1e-4,
    c2: float = 0.9,
) -> tuple[Point, int]:
    """A point with value <= start's + c1 step slope and |slope| <= c2 |start's slope|, or the best found.

    step: the first to try.  size: the largest element of the direction.  The search ends when a bracket times `size`
    is below `tolerance`, or after `limit` points.  Also returns how many points were evaluated.

    J. Nocedal, S. Wright: "Numerical optimization", 2006, algorithms 3.5 and 3.6.
    """

    def decreases(point: Point) -> bool:
        return not point.value > start.value + c1 * point.step * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -c2 * start.slope

    # Lengthen the step until a bracket holds a point that satisfies both.
    before, point = start, evaluate(step)
    count = 0
    while count < limit:
        if (
            not decreases(point)
            or (count > 1 and point.value >= before.value)
            or (not flat(point) and point.slope >= 0)
        ):
            low, high = before, point
            break
        if flat(point):
            return point, count + 1
        bounds = point.step + 0.01 * (point.step - before.step), 10 * point.step
        before, point = point, evaluate(_minimum(before, point, bounds))
        count += 1
    else:
        low, high = start, point
    first, second = low, high  # of the bracket: which of them is the lower one changes
    low_first = first.value <= second.value
    close = False
    while count < limit:
        ends = sorted((first.step, second.step))
        if (ends[1] - ends[0]) * size < tolerance:
            break
        step = _minimum(first, second, (ends[0], ends[1]))
        # Twice in a row next to an end of the bracket, or at it, there is no progress: a tenth of it further in.
        margin = 0.1 * (ends[1] - ends[0])
        near = min(ends[1] - step, step - ends[0]) < margin
        if near and (close or not ends[0] < step < ends[1]):
            step = ends[1] - margin if abs(step - ends[1]) < abs(step - ends[0]) else ends[0] + margin
            near = False
        close = near
        point = evaluate(step)
        count += 1
        low, high = (first, second) if low_first else (second, first)
        if not decreases(point) or point.value >= low.value:
            high = point
            first, second = (low, high) if low_first else (high, low)
            low_first = first.value <= second.value
            continue
        if flat(point):
            return point, count + 1
        if point.slope * (high.step - low.step) >= 0:
            high = low
        first, second = (point, high) if low_first else (high, point)
    return (first if low_first else second), count + 1


def _minimum(a: Point, b: Point, bounds: tuple[float, float]) -> float:
    """Where the cubic through two points, with their slopes, is lowest within the bounds; else their middle."""
    if a.step > b.step:
        a, b = b, a
    width = b.step - a.step
    inner = math.nan
    if width != 0:
        d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step)
        square = d1**2 - a.slope * b.slope
        if square >= 0:
            d2 = math.sqrt(square)
            below = b.slope - a.slope + 2 * d2
            inner = b.step - width * ((b.slope + d2 - d1) / below) if below != 0 else math.nan
    if math.isnan(inner):
        return (bounds[0] + bounds[1]) / 2
    return min(max(inner, bounds[0]), bounds[1])
