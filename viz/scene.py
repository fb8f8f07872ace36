"""Scene: every box of a picture with its size, its text and its place; a layout is asked for the places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from viz.layout import Frame, Placement, Point, Sketch
from viz.model import GraphTrace, Kind, Stat
from viz.text import one_line, shape_text, text_width
from viz.view import GraphView

TITLE, SMALL = 13.0, 10.5
PILL = 58.0
BESIDE = 46.0  # from an op to its own parameters
MAX_SATELLITES = 6

Layout = Callable[[Sketch], Placement]


@dataclass
class Card:
    """One box: lines of text, and what its look depends on.  `node` is -1 for a fold."""

    item: int
    node: int
    kind: Kind | None  # None: a fold
    title: str
    lines: list[str]
    foot: str
    width: float
    height: float
    stat: Stat | None
    pill: bool
    root: bool = False
    fan_in: int = 0
    satellite: bool = False
    x: float = 0.0
    y: float = 0.0


@dataclass
class Wire:
    tail: int
    head: int
    edge: int
    count: int
    label: str  # the argument's name, where two edges run side by side
    route: list[Point] = field(default_factory=list)


@dataclass
class Scene:
    view: GraphView
    cards: list[Card]
    wires: list[Wire]
    frames: dict[int, Frame]  # by call
    captions: dict[int, str]
    width: float
    height: float
    direction: str


def scene(view: GraphView, layout: Layout, direction: str, show_shapes: bool) -> Scene:
    """Cards for the items of a view, placed by `layout`."""
    trace = view.trace
    fan_in = [0] * view.items
    beside: dict[tuple[int, int], int] = {}
    for tail, head, e, count in view.edges:
        fan_in[head] += count * bool(trace.differentiable[e])
        beside[tail, head] = beside.get((tail, head), 0) + 1
    cards = [_card(view, k, show_shapes, fan_in[k]) for k in range(view.items)]
    wires = [
        Wire(tail, head, e, count, trace.argument[e] if count == 1 and beside[tail, head] > 1 else "")
        for tail, head, e, count in view.edges
    ]
    captions = {c: _caption(trace, c) for c in view.calls}
    result = Scene(view, cards, wires, {}, captions, 0.0, 0.0, direction)
    _place(result, layout)
    return result


def _card(view: GraphView, k: int, show_shapes: bool, fan_in: int) -> Card:
    trace = view.trace
    if k >= len(view.shown):
        fold = view.folds[k - len(view.shown)]
        module = trace.calls[fold.call].module if fold.call >= 0 else "folded"
        extra = fold.nodes - fold.ops
        foot = f"+{fold.ops:,} ops" + (f", {extra:,} leaves" if extra else "")
        title = one_line(fold.label, 26)
        width = max(
            120.0, text_width(title, TITLE, False) + 28, text_width(foot, SMALL) + 24, text_width(module, SMALL) + 24
        )
        return Card(k, -1, None, title, [one_line(module, 26)], foot, width, 62.0, None, False)
    i = view.shown[k]
    kind = trace.kind[i]
    title = one_line(trace.label[i], 28)
    lines = _field_lines(trace.fields[i]) if kind == Kind.OP else []
    foot = f"{shape_text(trace.shape[i])}" if show_shapes else ""
    if show_shapes and kind == Kind.CONSTANT and trace.dtype[i] is not None:
        foot += f" {trace.dtype[i]}"
    pill = kind != Kind.CONSTANT
    stat = trace.grad[i]
    bottom = text_width(foot, SMALL) + ((PILL + 10) if pill and stat is not None else 30 if pill else 0)
    inset = 2 * (12.0 + 8.0 * (kind in (Kind.INPUT, Kind.CONSTANT))) + badge_room(fan_in)
    mark = (30.0 if kind == Kind.OP else 8.0) + 42.0 * (i in trace.roots)  # a root may save tensors, too
    widest = max([text_width(title, TITLE, False) + mark - 8, bottom, *(text_width(line, SMALL) for line in lines)])
    width = max(112.0, widest + inset)
    height = 46.0 + 14.0 * len(lines)
    root = i in trace.roots
    return Card(k, i, kind, title, lines, foot, width, height, stat, pill, root, fan_in)


def badge_width(label: str) -> float:
    """Of the + that sums gradients, with their number where it is more than one."""
    return 16.0 if len(label) == 1 else 12.0 + text_width(label, SMALL)


def badge_room(fan_in: int) -> float:
    """How far a text moves to the right of a badge on the left border."""
    return badge_width(f"+{fan_in}") / 2 - 4.0 if fan_in > 1 else 0.0


def _field_lines(fields: dict[str, str]) -> list[str]:
    """At most two lines of the fields that say something; the tooltip has all."""
    words = []
    for name, value in fields.items():
        if value not in ("None", "False"):
            words.append(one_line(f"{name}={_compact(value)}", 30))
    lines: list[str] = []
    for word in words:
        if lines and len(lines[-1]) + len(word) < 30:
            lines[-1] += "  " + word
        elif len(lines) == 2:
            lines[-1] = one_line(lines[-1], 28).removesuffix("…") + " …"
            break
        else:
            lines.append(word)
    return lines


def _compact(value: str) -> str:
    """`(2, 2)` as 2: a setting that is the same in all dimensions."""
    parts = value[1:-1].split(", ") if value.startswith("(") and value.endswith(")") else []
    return parts[0] if len(parts) > 1 and len(set(parts)) == 1 else value


def _caption(trace: GraphTrace, c: int) -> str:
    call = trace.calls[c]
    return one_line(f"{call.path} · {call.module}" if call.path else call.module, 44)


def _satellites(result: Scene) -> dict[int, list[int]]:
    """For each op the leaves that stand beside it: those used once, but for the last way on where there is one."""
    view, trace = result.view, result.view.trace
    uses = [0] * view.items
    inputs: dict[int, list[Wire]] = {}
    for wire in result.wires:
        uses[wire.head] += wire.count
        inputs.setdefault(wire.tail, []).append(wire)
    beside: dict[int, list[int]] = {}
    for op, wires in inputs.items():
        if result.cards[op].kind != Kind.OP:
            continue
        own = []
        for wire in wires:
            leaf = result.cards[wire.head]
            once = uses[wire.head] == 1 and view.call[wire.head] == view.call[op]
            if once and leaf.kind in (Kind.PARAMETER, Kind.CONSTANT):
                own.append(wire)
        if len(own) == len(wires):  # the data that went in stays in the line of reading
            first = min(
                own,
                key=lambda w: (result.cards[w.head].kind == Kind.PARAMETER, int(trace.position[w.edge])),
                default=None,
            )
            own = [wire for wire in own if wire is not first]
        if 0 < len(own) <= MAX_SATELLITES:
            beside[op] = [wire.head for wire in own]
    return beside


def _place(result: Scene, layout: Layout) -> None:
    """Asks the layout, in its frame of reference, and turns the answer to the direction of reading."""
    view, cards = result.view, result.cards
    turned = result.direction == "LR"
    size = [(c.height, c.width) if turned else (c.width, c.height) for c in cards]
    margin = [8.0 + 14.0 * card.root + 8.0 * (card.fan_in > 1) for card in cards]
    beside = _satellites(result)
    hidden = {leaf for leaves in beside.values() for leaf in leaves}
    boxes = [k for k in range(len(cards)) if k not in hidden]
    place = {k: b for b, k in enumerate(boxes)}
    frame_of = {c: f for f, c in enumerate(view.calls)}
    parents = [frame_of.get(view.trace.calls[c].parent, -1) for c in view.calls]
    widths, heights, ports, spreads = [], [], [], []
    for k in boxes:
        w, h = size[k]
        own = beside.get(k, [])
        column = max((size[leaf][0] for leaf in own), default=0.0)
        stack = sum(size[leaf][1] + 10 for leaf in own) - 10 if own else 0.0
        total = w + (BESIDE + column if own else 0.0)
        widths.append(total)
        heights.append(max(h, stack) + margin[k])
        ports.append((w - total) / 2)
        spreads.append(w * 0.7)
    through = [wire for wire in result.wires if wire.head not in hidden]
    sketch = Sketch(
        widths,
        heights,
        ports,
        spreads,
        [frame_of.get(view.call[k], -1) for k in boxes],
        [(place[wire.tail], place[wire.head]) for wire in through],
        parents,
        [text_width(result.captions[c], 11.5, False) + 16 for c in view.calls],
        label_beside=turned,
    )
    placement = layout(sketch)

    def turn(point: Point) -> Point:
        return (point[1], point[0]) if turned else point

    for b, k in enumerate(boxes):
        w, h = size[k]
        x, y = placement.x[b] + ports[b], placement.y[b] + margin[k] / 2 - 4.0
        cards[k].x, cards[k].y = turn((x, y))
        own = beside.get(k, [])
        top = y - (sum(size[leaf][1] + 10 for leaf in own) - 10) / 2
        for leaf in own:
            sx, sy = x + w / 2 + BESIDE + size[leaf][0] / 2, top + size[leaf][1] / 2
            cards[leaf].satellite = True
            cards[leaf].x, cards[leaf].y = turn((sx, sy))
            top += size[leaf][1] + 10
    for wire, route in zip(through, placement.routes, strict=True):
        tail, head = cards[wire.tail], cards[wire.head]
        start = _low(tail, turned)
        end = _high(head, turned)
        wire.route = [turn(p) for p in _extended(route, start, end)]
    for wire in result.wires:
        if wire.head in hidden:
            wire.route = [turn(p) for p in _across(cards[wire.tail], cards[wire.head], beside[wire.tail], turned)]
    for c, f in frame_of.items():
        frame = placement.frames[f]
        left_top, right_bottom = turn((frame.left, frame.top)), turn((frame.right, frame.bottom))
        result.frames[c] = Frame(*left_top, *right_bottom)
    result.width, result.height = turn((placement.width, placement.height))


def _low(card: Card, turned: bool) -> float:
    return card.x + card.width / 2 if turned else card.y + card.height / 2


def _high(card: Card, turned: bool) -> float:
    top = card.x - card.width / 2 if turned else card.y - card.height / 2
    return top - 4.0 * card.root


def _extended(route: list[Point], start: float, end: float) -> list[Point]:
    """The route from the card's own edge to the other card's own edge, which lie within the boxes of the layout."""
    x0, _ = route[0]
    x1, _ = route[-1]
    lead = [(x0, start)] * 3
    tail = [(x1, end)] * 3
    return [*lead, *route, *tail]


def _across(op: Card, leaf: Card, leaves: list[int], turned: bool) -> list[Point]:
    """From the side of an op to a satellite."""
    ox, oy, ow, oh = (op.y, op.x, op.height, op.width) if turned else (op.x, op.y, op.width, op.height)
    lx, ly, lw = (leaf.y, leaf.x, leaf.height) if turned else (leaf.x, leaf.y, leaf.width)
    k = leaves.index(leaf.item)
    step = min(14.0, oh * 0.6 / max(1, len(leaves)))
    y = oy + (k - (len(leaves) - 1) / 2) * step
    x0, x1 = ox + ow / 2, lx - lw / 2 - (8.0 if leaf.kind == Kind.PARAMETER else 0.0)
    middle = (x0 + x1) / 2
    return [(x0, y), (middle, y), (middle, ly), (x1, ly)]
