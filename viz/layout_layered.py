"""Layered layout with nested clusters, in linear time and without Graphviz.

Each cluster is laid out by itself, innermost first, and is one box in its parent, so frames can never overlap.
Edges that cross a frame meet it at a port, which is a box of no size in the rank at the border.  Within a cluster:
longest-path ranks, barycentre sweeps against crossings, then positions that minimise the squared slant of the edges
(per rank, by pooling adjacent violators).  K. Sugiyama, S. Tagawa, M. Toda: "Methods for visual understanding of
hierarchical system structures", 1981.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from viz.layer_order import order
from viz.layers import GAP, LANE, LONG, RANK_GAP, RELAXATIONS, Area, Piece
from viz.layout import Frame, Placement, Point, Sketch, smooth


def layered(sketch: Sketch) -> Placement:
    """Places every box; linear in boxes, edges and clusters, but for the sorting within ranks."""
    areas = [Area() for _ in range(len(sketch.parents) + 1)]  # the last one is the whole picture
    for i, cluster in enumerate(sketch.cluster):
        areas[cluster].boxes.append(i)
    for c, parent in enumerate(sketch.parents):
        areas[parent].inner.append(c)
    depth: list[int] = []
    for parent in sketch.parents:
        depth.append(0 if parent < 0 else depth[parent] + 1)
    child_of: list[tuple[tuple[str, int], tuple[str, int]]] = []
    for e, (tail, head) in enumerate(sketch.edges):
        a, b = sketch.cluster[tail], sketch.cluster[head]
        ends = [("box", tail), ("box", head)]
        while a != b:
            if b < 0 or (a >= 0 and depth[a] >= depth[b]):
                areas[a].exits.append(e)
                ends[0] = ("area", a)
                a = sketch.parents[a]
            else:
                areas[b].entries.append(e)
                ends[1] = ("area", b)
                b = sketch.parents[b]
        areas[a].within.append(e)
        child_of.append((ends[0], ends[1]))
    for c in range(len(sketch.parents) - 1, -2, -1):
        _lay_out(sketch, areas, c, child_of)
    return _assemble(sketch, areas)


def _lay_out(
    sketch: Sketch, areas: list[Area], c: int, child_of: Sequence[tuple[tuple[str, int], tuple[str, int]]]
) -> None:
    area = areas[c]
    for i in area.boxes:
        area.add(("box", i), sketch.width[i], sketch.height[i])
    for inner in area.inner:
        area.add(("area", inner), areas[inner].width, areas[inner].height)
    solid = len(area.w)
    for e in area.within:
        first, last = child_of[e]
        area.pieces.append(Piece(e, area.element[first], area.element[last]))
    ranks = _rank(area, solid)
    label = -1
    if c >= 0:
        if not sketch.label_beside:
            label = area.add(("label", c), sketch.label_width[c], sketch.label_height, 0)
        area.rank[:solid] = [r + 1 for r in area.rank[:solid]]
        ranks += 1
    for e in area.entries:
        head = area.element[_inside(sketch, areas, c, sketch.edges[e][1])]
        area.pieces.append(Piece(e, area.add(("entry", e), 0.0, 0.0, 0), head))
    if area.exits:
        for e in area.exits:
            tail = area.element[_inside(sketch, areas, c, sketch.edges[e][0])]
            area.pieces.append(Piece(e, tail, area.add(("exit", e), 0.0, 0.0, ranks)))
        ranks += 1
    lanes = _thread(area, ranks)
    rows = order(sketch, areas, area, ranks, label)
    _place_x(area, rows, label)
    _route(sketch, area, rows, lanes, c)


def _inside(sketch: Sketch, areas: list[Area], c: int, box: int) -> tuple[str, int]:
    """The element of area c that holds a box, or is it."""
    at = sketch.cluster[box]
    if at == c:
        return ("box", box)
    while sketch.parents[at] != c:
        at = sketch.parents[at]
    return ("area", at)


def _rank(area: Area, n: int) -> int:
    """Longest-path ranks of the solid elements; returns how many ranks there are."""
    after: list[list[int]] = [[] for _ in range(n)]
    waiting = [0] * n
    for piece in area.pieces:
        after[piece.tail].append(piece.head)
        waiting[piece.head] += 1
    ready = [i for i in range(n) if not waiting[i]]
    for i in ready:  # grows while it runs
        for j in after[i]:
            area.rank[j] = max(area.rank[j], area.rank[i] + 1)
            waiting[j] -= 1
            if not waiting[j]:
                ready.append(j)
    # What nothing in here leads to (but for the first) sits right above what it leads to.
    has_input = {piece.head for piece in area.pieces}
    for i in reversed(ready):
        if i not in has_input and after[i]:
            area.rank[i] = min(area.rank[j] for j in after[i]) - 1
    return max(area.rank[:n], default=-1) + 1


def _thread(area: Area, ranks: int) -> list[Piece]:
    """Gives each piece the points that it passes between its ranks; returns the long ones, which pass in lanes."""
    lanes = []
    for piece in area.pieces:
        first, last = area.rank[piece.tail], area.rank[piece.head]
        piece.path = [piece.tail]
        if last - first > LONG:
            lanes.append(piece)
        else:
            for r in range(first + 1, last):
                piece.path.append(area.add(("pass", len(area.w)), LANE - 4, 0.0, r))
        piece.path.append(piece.head)
    return lanes


def _place_x(area: Area, rows: list[list[int]], label: int) -> None:
    """Positions along the ranks: sweeps down and up, each rank as near as it can be to where its edges pull it."""
    n = len(area.w)
    pulls_up: list[list[tuple[int, float]]] = [[] for _ in range(n)]
    pulls_down: list[list[tuple[int, float]]] = [[] for _ in range(n)]
    for piece in area.pieces:
        if area.rank[piece.head] - area.rank[piece.tail] > LONG:
            continue
        for a, b in pairwise(piece.path):
            shift = (piece.tail_port if a == piece.tail else 0.0) - (piece.head_port if b == piece.head else 0.0)
            pulls_up[b].append((a, shift))
            pulls_down[a].append((b, -shift))
    area.x = [0.0] * n
    for row in rows:
        _pack(area, row, [0.0] * len(row), [1.0] * len(row))
    for sweep in range(RELAXATIONS):
        downwards = sweep % 2 == 0
        for row in rows if downwards else rows[::-1]:
            wishes, weights = [], []
            for i in row:
                first, second = (pulls_up[i], pulls_down[i]) if downwards else (pulls_down[i], pulls_up[i])
                pulls = first or second
                wishes.append(sum(area.x[j] + s for j, s in pulls) / len(pulls) if pulls else area.x[i])
                weights.append(0.001 if not pulls else 4.0 if area.w[i] < LANE else 1.0 + 0.2 * len(pulls))
            _pack(area, row, wishes, weights)
    if label >= 0:
        others = [i for i in range(n) if i != label]
        left = min((area.x[i] - area.w[i] / 2 for i in others), default=0.0)
        area.x[label] = min(area.x[label], left + area.w[label] / 2)


def _pack(area: Area, row: list[int], wishes: list[float], weights: list[float]) -> None:
    """Least squares under the order of the row and the gaps in it (pool adjacent violators)."""
    offset, offsets = 0.0, []
    for k, i in enumerate(row):
        if k:
            before = row[k - 1]
            gap = (
                LANE if area.w[i] < LANE and area.w[before] < LANE else GAP if area.w[i] and area.w[before] else GAP / 2
            )
            offset += (area.w[before] + area.w[i]) / 2 + gap
        offsets.append(offset)
    blocks: list[list[float]] = []  # weight, weighted sum of wishes, members
    for wished, weight, moved in zip(wishes, weights, offsets, strict=True):
        blocks.append([weight, weight * (wished - moved), 1])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][0] > blocks[-1][1] * blocks[-2][0]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    k = 0
    for weight, total, members in blocks:
        for _ in range(int(members)):
            area.x[row[k]] = total / weight + offsets[k]
            k += 1


def _route(sketch: Sketch, area: Area, rows: list[list[int]], lanes: list[Piece], c: int) -> None:
    """Heights of the ranks, the points of each piece, and the size; the origin moves to the top left corner."""
    pad = sketch.padding if c >= 0 else 0.0
    n = len(area.w)
    beside = c >= 0 and sketch.label_beside
    left = min((area.x[i] - area.w[i] / 2 for i in range(n)), default=0.0) - pad - beside * sketch.label_height
    right = max((area.x[i] + area.w[i] / 2 for i in range(n)), default=0.0)
    area.x = [x - left for x in area.x]
    right -= left
    lane_x, lane_count = _assign_lanes(area, lanes, right)
    area.width = right + (GAP / 2 + lane_count * LANE if lane_count else 0.0) + pad

    slant = [0.0] * len(rows)
    busy = [0] * len(rows)
    for piece in area.pieces:
        for a, b in pairwise(piece.path):
            dx = abs(_x(area, piece, a) - _x(area, piece, b))
            slant[area.rank[a]] = max(slant[area.rank[a]], dx)
            busy[area.rank[a]] += 1
    heights = [max((area.h[i] for i in row), default=0.0) for row in rows]
    tops, y = [], 0.0
    for r, height in enumerate(heights):
        tops.append(y)
        border = c >= 0 and (r == 0 or (r == len(rows) - 2 and bool(area.exits)))
        gap = 10.0 if border and not busy[r] else min(90.0, max(RANK_GAP if not border else 16.0, slant[r] / 5))
        if r + 1 < len(rows):
            y += height + gap
        else:
            y += height
    area.height = y + (0.0 if area.exits else pad)
    if beside:
        area.height = max(area.height, sketch.label_width[c] + pad)
    area.top = [tops[area.rank[i]] + (heights[area.rank[i]] - area.h[i]) / 2 for i in range(n)]
    for piece in area.pieces:
        _points(area, piece, tops, heights, lane_x.get(piece.edge))
    middle = area.width / 2
    for (kind, e), i in area.element.items():
        if kind == "entry":
            area.in_port[e] = area.x[i] - middle
        elif kind == "exit":
            area.out_port[e] = area.x[i] - middle


def _assign_lanes(area: Area, lanes: list[Piece], right: float) -> tuple[dict[int, float], int]:
    """Vertical lanes for long edges; edges whose ranks do not overlap share one."""
    free_after: list[int] = []
    chosen: dict[int, float] = {}
    for piece in sorted(lanes, key=lambda p: (area.rank[p.tail], p.edge)):
        first, last = area.rank[piece.tail], area.rank[piece.head]
        lane = next((k for k, end in enumerate(free_after) if end <= first), len(free_after))
        if lane == len(free_after):
            free_after.append(0)
        free_after[lane] = last
        chosen[piece.edge] = right + GAP / 2 + lane * LANE
    return chosen, len(free_after)


def _x(area: Area, piece: Piece, element: int) -> float:
    if element == piece.tail:
        return area.x[element] + piece.tail_port
    return area.x[element] + (piece.head_port if element == piece.head else 0.0)


def _points(area: Area, piece: Piece, tops: list[float], heights: list[float], lane: float | None) -> None:
    """Upright within a rank's band, slanting only between the bands: so no edge runs across a box."""
    points: list[Point] = []
    for k, i in enumerate(piece.path):
        x, r = _x(area, piece, i), area.rank[i]
        band_top, band_bottom = tops[r], tops[r] + heights[r]
        if k == 0:
            points += [(x, area.top[i] + area.h[i]), (x, band_bottom)]
            if lane is not None:
                points += [
                    (lane, tops[r + 1]),
                    (lane, tops[area.rank[piece.head] - 1] + heights[area.rank[piece.head] - 1]),
                ]
        elif k == len(piece.path) - 1:
            points += [(x, band_top), (x, area.top[i])]
        else:
            points += [(x, band_top), (x, band_bottom)]
    piece.points = points


def _assemble(sketch: Sketch, areas: list[Area]) -> Placement:
    """Everything in the coordinates of the whole picture; the pieces of each edge joined."""
    n, clusters = len(sketch.width), len(sketch.parents)
    origin: list[Point] = [(0.0, 0.0)] * (clusters + 1)
    placement = Placement([0.0] * n, [0.0] * n, [Frame(0, 0, 0, 0)] * clusters, [])
    parts: list[list[tuple[float, list[Point]]]] = [[] for _ in sketch.edges]
    for c in [-1, *range(clusters)]:
        area, (ox, oy) = areas[c], origin[c]
        for (kind, i), element in area.element.items():
            x, y = ox + area.x[element], oy + area.top[element]
            if kind == "box":
                placement.x[i], placement.y[i] = x, y + area.h[element] / 2
            elif kind == "area":
                left = x - area.w[element] / 2
                origin[i] = (left, y)
                placement.frames[i] = Frame(left, y, left + area.w[element], y + area.h[element])
        for piece in area.pieces:
            points = [(ox + px, oy + py) for px, py in piece.points]
            parts[piece.edge].append((points[0][1], points))
    for pieces in parts:
        pieces.sort(key=lambda part: part[0])
        joined = [point for _, points in pieces for point in points]
        placement.routes.append(smooth(_simplified(joined)))
    placement.width, placement.height = areas[-1].width, areas[-1].height
    return placement


def _simplified(points: list[Point]) -> list[Point]:
    """Without repeated points and without those in the middle of an upright line."""
    kept: list[Point] = []
    for x, y in points:
        if kept and abs(kept[-1][0] - x) < 0.01:
            x = kept[-1][0]
            if abs(kept[-1][1] - y) < 0.01:
                continue
            if len(kept) > 1 and kept[-2][0] == x:
                kept.pop()
        kept.append((x, y))
    return kept if len(kept) > 1 else [*kept, kept[-1]]
