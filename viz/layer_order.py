"""The order of the elements within the ranks of an area: barycentre sweeps against crossing edges."""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import pairwise

from viz.layers import LONG, SWEEPS, Area, Piece
from viz.layout import Sketch


def order(sketch: Sketch, areas: list[Area], area: Area, ranks: int, label: int) -> list[list[int]]:
    """The elements of each rank from left to right, and the ports of the pieces."""
    n = len(area.w)
    rows: list[list[int]] = [[] for _ in range(ranks)]
    up: list[list[tuple[int, int]]] = [[] for _ in range(n)]  # (neighbour, piece)
    down: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for p, piece in enumerate(area.pieces):
        if area.rank[piece.head] - area.rank[piece.tail] > LONG:
            continue
        for a, b in pairwise(piece.path):
            down[a].append((b, p))
            up[b].append((a, p))
    inside = {element: key for key, element in area.element.items() if key[0] == "area"}
    _fixed_ports(areas, area, inside)
    for i in _depth_first(n, down, up):
        rows[area.rank[i]].append(i)
    place = [0.0] * n

    def number(row: list[int]) -> None:
        for k, i in enumerate(row):
            place[i] = float(k)

    def wish(i: int, neighbours: list[list[tuple[int, int]]]) -> float:
        near = neighbours[i]
        if not near:
            return place[i]
        # Within a wide neighbour it matters where its port is.
        return sum(place[j] + _share(area, j, p) for j, p in near) / len(near)

    for row in rows:
        number(row)
    best, fewest = [row[:] for row in rows], _crossings(rows, down, place, area)
    for _ in range(SWEEPS):
        if not fewest:
            break
        for neighbours, sequence in ((up, rows), (down, rows[::-1])):
            for row in sequence:
                wishes = {i: wish(i, neighbours) for i in row}
                row.sort(key=wishes.__getitem__)
                number(row)
        crossings = _crossings(rows, down, place, area)
        if crossings < fewest:
            best, fewest = [row[:] for row in rows], crossings
    if label >= 0:
        best[0].remove(label)
        best[0].insert(0, label)
    for row in best:
        number(row)
    _spread_ports(sketch, area, place)
    return best


def _fixed_ports(areas: list[Area], area: Area, inside: dict[int, tuple[str, int]]) -> None:
    for piece in area.pieces:
        if piece.tail in inside:
            piece.tail_port = areas[inside[piece.tail][1]].out_port[piece.edge]
        if piece.head in inside:
            piece.head_port = areas[inside[piece.head][1]].in_port[piece.edge]


def _share(area: Area, element: int, p: int) -> float:
    """A port's place within its element, from -0.5 to 0.5."""
    piece, w = area.pieces[p], area.w[element]
    if not w:
        return 0.0
    return (piece.tail_port if element == piece.tail else piece.head_port if element == piece.head else 0.0) / w


def _depth_first(n: int, down: list[list[tuple[int, int]]], up: list[list[tuple[int, int]]]) -> list[int]:
    """Elements in the order in which a walk from the top meets them: neighbours come to stand together."""
    seen = [False] * n
    order = []
    for root in [*(i for i in range(n) if not up[i]), *range(n)]:
        stack = [root]
        while stack:
            i = stack.pop()
            if not seen[i]:
                seen[i] = True
                order.append(i)
                stack.extend(j for j, _ in reversed(down[i]))
    return order


def _crossings(rows: list[list[int]], down: list[list[tuple[int, int]]], place: list[float], area: Area) -> int:
    """How many pairs of edges cross between neighbouring ranks."""
    total = 0
    for row in rows:
        ends = []
        for i in row:
            ends += [(place[i] + _share(area, i, p), place[j] + _share(area, j, p)) for j, p in down[i]]
        ends.sort()
        passed: list[float] = []
        for _, end in ends:
            total += len(passed) - bisect_left(passed, end + 1e-9)
            insort(passed, end)
    return total


def _spread_ports(sketch: Sketch, area: Area, place: list[float]) -> None:
    """Spreads the edges at a box over its width, in the order of their other ends, so that they do not cross there."""
    leaving: dict[int, list[Piece]] = {}
    coming: dict[int, list[Piece]] = {}
    for piece in area.pieces:
        leaving.setdefault(piece.tail, []).append(piece)
        coming.setdefault(piece.head, []).append(piece)
    for (kind, box), element in area.element.items():
        if kind != "box":
            continue
        for side, pieces in ((1, leaving.get(element, [])), (-2, coming.get(element, []))):
            pieces.sort(key=lambda p: (place[p.path[side]] if len(p.path) > 2 or side == 1 else place[p.tail], p.edge))
            step = min(26.0, sketch.spread[box] / max(1, len(pieces)))
            for k, piece in enumerate(pieces):
                offset = sketch.port[box] + (k - (len(pieces) - 1) / 2) * step
                if side == 1:
                    piece.tail_port = offset
                else:
                    piece.head_port = offset
