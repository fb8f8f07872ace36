"""How each kind of box is drawn."""

from __future__ import annotations

import math
from collections.abc import Callable

from viz.ink import RADIUS, circle, cut_corner, cylinder, num, path, rect, text
from viz.model import GraphTrace, Kind, Stat
from viz.palette import HeatScale, text_on
from viz.scene import PILL, Card, badge_room, badge_width
from viz.text import number


def draw_card(card: Card, trace: GraphTrace, scale: HeatScale | None, turned: bool) -> str:
    """The shapes and texts of one card, without the element round them."""
    if card.kind is None:
        return _fold(card)
    x, y, w, h = card.x - card.width / 2, card.y - card.height / 2, card.width, card.height
    shape = _SHAPES[card.kind]
    parts = [shape(card, trace, x, y, w, h)]
    middle = card.kind in (Kind.CONSTANT, Kind.INPUT)
    inset = 12.0 if card.kind == Kind.OP else 11.0
    line = y + (18.0 if card.kind != Kind.PARAMETER else 23.0)
    if middle and not card.pill:
        parts.append(text(card.x, line, card.title, "t name", "middle"))
        parts.append(text(card.x, line + 17, card.foot, "t mono", "middle"))
        return "".join(parts)
    inset += 8.0 * middle
    right = x + w - inset + 2
    inset += badge_room(card.fan_in)
    parts.append(text(x + inset, line, card.title, "t name"))
    for k, field in enumerate(card.lines):
        parts.append(text(x + inset, line + 15 + 14 * k, field, "t mono dim"))
    foot = y + h - (11.0 if card.kind == Kind.OP else 8.0 if card.kind == Kind.PARAMETER else 10.0)
    parts.append(text(x + inset, foot, card.foot, "t mono"))
    if card.pill:
        parts.append(pill(right, foot - 4, card.stat, scale))
    if card.kind == Kind.OP:
        parts.append(_marks(card, trace, x, y, w))
    parts.append(_accumulate(card, turned))
    return "".join(parts)


def pill(right: float, middle: float, stat: Stat | None, scale: HeatScale | None) -> str:
    """The RMS of a gradient on the colour of its size, at the right end of a line."""
    if stat is None:
        return rect(right - 20, middle - 6, 20, 12, "unknown", 6)
    left, top, h = right - PILL, middle - 8, 16.0
    if stat.nonfinite:
        label = "NaN" if math.isnan(stat.rms) else "inf"
        return rect(left, top, PILL, h, "bad", 8) + text(left + PILL / 2, top + 12, label, "t mono onbad", "middle")
    if stat.rms == 0:
        cross = f"M{num(left + 6)} {num(top + 4)}l8 8m0 -8l-8 8"
        return (
            rect(left, top, PILL, h, "zero", 8)
            + path(cross, "cross")
            + text(left + PILL / 2 + 4, top + 12, "0", "t mono onzero", "middle")
        )
    fill = scale.colour(stat.rms) if scale is not None else "#7d7c78"
    ink = "black" if text_on(fill) == "#000000" else "white"
    return rect(left, top, PILL, h, "heat", 8, f' fill="{fill}"') + text(
        left + PILL / 2, top + 12, number(stat.rms), f"t mono b on{ink}", "middle"
    )


def _op(card: Card, trace: GraphTrace, x: float, y: float, w: float, h: float) -> str:
    style = "card view" if trace.view[card.node] else "card second" if trace.order[card.node] > 1 else "card"
    outline = path(cut_corner(x, y, w, h), style)
    if card.root:
        return path(cut_corner(x - 4, y - 4, w + 8, h + 8, 13, RADIUS + 3), "rim") + path(
            cut_corner(x, y, w, h), style + " root"
        )
    return outline


def _parameter(card: Card, trace: GraphTrace, x: float, y: float, w: float, h: float) -> str:
    body, rim = cylinder(x, y, w, h)
    return path(body, "parameter") + path(rim, "parameter-rim")


def _input(card: Card, trace: GraphTrace, x: float, y: float, w: float, h: float) -> str:
    lean = 9.0
    d = f"M{num(x + lean)} {num(y)}H{num(x + w)}L{num(x + w - lean)} {num(y + h)}H{num(x)}Z"
    return path(d, "input")


def _constant(card: Card, trace: GraphTrace, x: float, y: float, w: float, h: float) -> str:
    return rect(x, y, w, h, "constant", h / 2)


_SHAPES: dict[Kind, Callable[[Card, GraphTrace, float, float, float, float], str]] = {
    Kind.OP: _op,
    Kind.PARAMETER: _parameter,
    Kind.INPUT: _input,
    Kind.CONSTANT: _constant,
}


def _fold(card: Card) -> str:
    x, y, w, h = card.x - card.width / 2, card.y - card.height / 2, card.width, card.height
    w, h = w - 6, h - 6
    sides = (
        f"M{num(x)} {num(y + 6)}L{num(x + 6)} {num(y)}H{num(x + w + 6)}V{num(y + h)}L{num(x + w)} {num(y + h + 6)}"
        f"V{num(y + 6)}ZM{num(x + w)} {num(y + 6)}L{num(x + w + 6)} {num(y)}"
    )
    parts = [rect(x, y + 6, w, h, "fold", 2), path(sides, "fold")]
    parts.append(text(x + 10, y + 23, card.title, "t name"))
    parts += [text(x + 10, y + 37, line, "t mono dim") for line in card.lines]
    parts.append(text(x + 10, y + h - 1, card.foot, "t mono b"))
    return "".join(parts)


def _marks(card: Card, trace: GraphTrace, x: float, y: float, w: float) -> str:
    """What backward keeps (a filled square; struck and hollow once it is freed), and the order of the derivative."""
    i, parts = card.node, []
    right = x + w - 17
    if card.root:
        parts.append(text(right + 3, y + 18, "loss" if trace.numel(i) == 1 else "output", "t mono b start", "end"))
        right -= 42
    if trace.saved_bytes[i] > 0:
        parts.append(saved_mark(right - 5, y + 10, bool(trace.freed[i])))
        right -= 14
    if trace.order[i] > 1:
        parts.append(text(right, y + 18, f"∂{trace.order[i]}", "t mono b", "end"))
    return "".join(parts)


def saved_mark(x: float, y: float, freed: bool) -> str:
    if not freed:
        return rect(x, y, 7, 7, "saved", 1)
    return rect(x, y, 7, 7, "saved freed", 1) + path(f"M{num(x - 1.5)} {num(y + 8.5)}l10 -10", "strike")


def _accumulate(card: Card, turned: bool) -> str:
    """The + where gradients are summed: at every leaf (AccumulateGrad), and at ops that several gradients reach."""
    leaf = card.kind in (Kind.PARAMETER, Kind.INPUT)
    if not leaf and card.fan_in < 2:
        return ""
    label = f"+{card.fan_in}" if card.fan_in > 1 else "+"
    x, y = plus_place(card, turned)
    return plus(x, y, label)


def plus_place(card: Card, turned: bool) -> tuple[float, float]:
    """On the border, beside the arrows that come in."""
    if card.satellite:
        return (card.x - card.width / 2, card.y) if not turned else (card.x, card.y - card.height / 2)
    left, top = card.x - card.width / 2, card.y - card.height / 2
    return (left, top + card.height * 0.5) if not turned else (left + card.width * 0.5, top)


def plus(x: float, y: float, label: str) -> str:
    r = badge_width(label) / 2
    body = circle(x, y, r, "sum") if len(label) == 1 else rect(x - r, y - 8, 2 * r, 16, "sum", 8)
    return body + text(x, y + 3.8, label, "t mono b", "middle")
