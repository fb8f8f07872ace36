"""The few SVG elements that pictures are made of, escaped and with short numbers."""

from __future__ import annotations

from xml.sax.saxutils import escape

from viz.layout import Point
from viz.text import legal

RADIUS = 7.0


def num(x: float) -> str:
    """A coordinate with one decimal, without a needless `.0`.

    >>> num(3.0), num(-0.04), num(2.25)
    ('3', '0', '2.2')
    """
    text = f"{x:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def quoted(text: str) -> str:
    """As the value of an attribute, in quotation marks."""
    return '"' + escape(legal(text), {'"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}) + '"'


def content(text: str) -> str:
    """As the content of an element."""
    return escape(legal(text), {"\r": "&#13;"})


def title(text: str) -> str:
    return f"<title>{content(text)}</title>"


def text(x: float, y: float, what: str, style: str, anchor: str = "", extra: str = "") -> str:
    """A line of text; `style` names classes of the style sheet."""
    where = f' text-anchor="{anchor}"' if anchor else ""
    return f'<text x="{num(x)}" y="{num(y)}" class="{style}"{where}{extra}>{content(what)}</text>'


def rect(x: float, y: float, w: float, h: float, style: str, radius: float = 0.0, extra: str = "") -> str:
    corner = f' rx="{num(radius)}"' if radius else ""
    return f'<rect x="{num(x)}" y="{num(y)}" width="{num(w)}" height="{num(h)}"{corner} class="{style}"{extra}/>'


def circle(x: float, y: float, r: float, style: str) -> str:
    return f'<circle cx="{num(x)}" cy="{num(y)}" r="{num(r)}" class="{style}"/>'


def path(d: str, style: str, extra: str = "") -> str:
    return f'<path d="{d}" class="{style}"{extra}/>'


def curve(points: list[Point]) -> str:
    """The path data of cubic Bezier points, upright and level parts as lines."""
    parts = [f"M{num(points[0][0])} {num(points[0][1])}"]
    for a, b, c, d in zip(points[0::3], points[1::3], points[2::3], points[3::3], strict=False):
        if a[0] == b[0] == c[0] == d[0] or a[1] == b[1] == c[1] == d[1]:
            parts.append(f"L{num(d[0])} {num(d[1])}")
        else:
            parts.append("C" + " ".join(f"{num(x)} {num(y)}" for x, y in (b, c, d)))
    return "".join(parts)


def cut_corner(x: float, y: float, w: float, h: float, cut: float = 11.0, radius: float = RADIUS) -> str:
    """Path data of a rounded box whose top right corner is cut."""
    r = radius
    return (
        f"M{num(x + r)} {num(y)}H{num(x + w - cut)}L{num(x + w)} {num(y + cut)}V{num(y + h - r)}"
        f"Q{num(x + w)} {num(y + h)} {num(x + w - r)} {num(y + h)}H{num(x + r)}"
        f"Q{num(x)} {num(y + h)} {num(x)} {num(y + h - r)}V{num(y + r)}Q{num(x)} {num(y)} {num(x + r)} {num(y)}Z"
    )


def cylinder(x: float, y: float, w: float, h: float, lid: float = 5.0) -> tuple[str, str]:
    """Path data of a cylinder's outline, and of the front rim of its lid."""
    left, right, top, bottom, r = num(x), num(x + w), num(y + lid), num(y + h - lid), num(w / 2)
    body = f"M{left} {top}A{r} {num(lid)} 0 0 1 {right} {top}V{bottom}A{r} {num(lid)} 0 0 1 {left} {bottom}Z"
    return body, f"M{left} {top}A{r} {num(lid)} 0 0 0 {right} {top}"


def arrow_head(tip: Point, before: Point, size: float) -> str:
    """The points of a triangle at `tip`, pointing away from `before` along the axis that they differ in most."""
    (x, y), (bx, by) = tip, before
    half = size * 0.5
    if abs(x - bx) > abs(y - by):
        back = x - size if x > bx else x + size
        corners = ((x, y), (back, y - half), (back, y + half))
    else:
        back = y - size if y > by else y + size
        corners = ((x, y), (x - half, back), (x + half, back))
    return " ".join(f"{num(px)},{num(py)}" for px, py in corners)
