"""What the layered layout works on: a cluster as an area of elements in ranks, joined by the pieces of edges."""

from __future__ import annotations

from dataclasses import dataclass, field

from viz.layout import Point

GAP = 26.0  # between boxes of a rank
LANE = 9.0  # between edges that pass
RANK_GAP = 34.0
LONG = 12  # an edge over more ranks runs in a lane at the right of everything
SWEEPS = 4
RELAXATIONS = 8


@dataclass
class Piece:
    """The part of an edge within one cluster, from element to element."""

    edge: int
    tail: int
    head: int
    tail_port: float = 0.0
    head_port: float = 0.0
    path: list[int] = field(default_factory=list)  # elements from tail to head
    points: list[Point] = field(default_factory=list)


@dataclass
class Area:
    """One cluster while it is laid out.  Elements: boxes, inner areas, border ports, points that edges pass."""

    boxes: list[int] = field(default_factory=list)
    inner: list[int] = field(default_factory=list)
    entries: list[int] = field(default_factory=list)  # edges that come in through the top,
    exits: list[int] = field(default_factory=list)  # and that leave through the bottom
    within: list[int] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0
    element: dict[tuple[str, int], int] = field(default_factory=dict)
    w: list[float] = field(default_factory=list)
    h: list[float] = field(default_factory=list)
    x: list[float] = field(default_factory=list)
    top: list[float] = field(default_factory=list)
    rank: list[int] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    in_port: dict[int, float] = field(default_factory=dict)  # edge -> x at the border, from the centre
    out_port: dict[int, float] = field(default_factory=dict)

    def add(self, key: tuple[str, int], w: float, h: float, rank: int = 0) -> int:
        self.element[key] = len(self.w)
        self.w.append(w)
        self.h.append(h)
        self.rank.append(rank)
        return len(self.w) - 1
