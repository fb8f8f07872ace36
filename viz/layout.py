"""What a layout is given and what it gives back; boxes grow along x within a rank, ranks run along y.

`layout_layered` and `layout_dot` both take a `Sketch` and return a `Placement`; `arrange` turns the picture's direction
and puts the satellites (an op's own parameters and constants) beside their op.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]


@dataclass
class Sketch:
    """Boxes of known size, edges between them, and nested clusters; a cluster's parent has a smaller number."""

    width: list[float]
    height: list[float]
    port: list[float]  # where edges leave and enter: offset of the middle of the ports from the box's centre
    spread: list[float]  # how wide the ports may spread
    cluster: list[int]  # of each box, -1 for none
    edges: list[tuple[int, int]]
    parents: list[int]  # of each cluster
    label_width: list[float]
    label_height: float = 22.0
    label_beside: bool = False  # the label takes a strip at the left, not a place in the rank at the top
    padding: float = 14.0


@dataclass
class Frame:
    left: float
    top: float
    right: float
    bottom: float


@dataclass
class Placement:
    """Centres of boxes, frames of clusters, a route for each edge: cubic Bezier points, 3 n + 1 of them."""

    x: list[float]
    y: list[float]
    frames: list[Frame]
    routes: list[list[Point]]
    width: float = 0.0
    height: float = 0.0


def smooth(points: list[Point]) -> list[Point]:
    """Cubic Bezier points through `points`, upright at each of them; straight where the next is right below.

    >>> smooth([(0.0, 0.0), (0.0, 9.0)])
    [(0.0, 0.0), (0.0, 3.0), (0.0, 6.0), (0.0, 9.0)]
    """
    curve = [points[0]]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 == x1:
            curve += [(x0, y0 + (y1 - y0) / 3), (x1, y1 - (y1 - y0) / 3), (x1, y1)]
        else:
            middle = (y0 + y1) / 2
            curve += [(x0, middle), (x1, middle), (x1, y1)]
    return curve
