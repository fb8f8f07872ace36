"""Text in pictures: how wide it is without asking a font, how long ones are cut, how numbers are written."""

from __future__ import annotations

import math
import re
import unicodedata

SANS = "Inter, 'Segoe UI', system-ui, -apple-system, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
MONO = "ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', Consolas, 'Liberation Mono', monospace"

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def legal(text: str) -> str:
    """`text` without what XML cannot hold: control characters and lone surrogates become U+FFFD."""
    return _FORBIDDEN.sub("\ufffd", text)


def cells(text: str) -> int:
    """Width in cells of a monospaced font: wide characters take two, combining ones none.

    >>> cells("abc"), cells("日本")
    (3, 4)
    """
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def text_width(text: str, size: float, mono: bool = True, bold: bool = True) -> float:
    """An upper bound on the width in pixels; fonts differ, so it is a generous one."""
    return cells(text) * size * (0.605 if mono else 0.63 if bold else 0.53)


def one_line(text: str, limit: int = 30) -> str:
    """For a label: white space as single blanks, cut to `limit` cells with an ellipsis."""
    line = " ".join(legal(text).split())
    if cells(line) <= limit:
        return line
    kept, used = [], 1
    for c in line:
        used += cells(c)
        if used > limit:
            break
        kept.append(c)
    return "".join(kept) + "…"


def number(x: float) -> str:
    """Two significant digits.

    >>> number(0.00031), number(12.3), number(0.0), number(float("nan"))
    ('3.1e-4', '12', '0', 'NaN')
    """
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    if x == 0:
        return "0"
    if 0.01 <= abs(x) < 1000:
        return f"{x:.2g}" if abs(x) < 100 else f"{x:.0f}"
    digits, exponent = f"{x:.1e}".split("e")
    return f"{digits}e{int(exponent)}"


def shape_text(shape: tuple[int, ...] | None) -> str:
    """`[4, 16, 5, 5]`; a scalar is named, and so is what was not kept."""
    if shape is None:
        return "shape not kept"
    return f"[{', '.join(map(str, shape))}]" if shape else "scalar"


def size_text(nbytes: int) -> str:
    """Bytes with a unit.

    >>> size_text(512), size_text(3_500_000)
    ('512 B', '3.3 MiB')
    """
    value, units = float(nbytes), iter(("B", "KiB", "MiB", "GiB"))
    unit = next(units)
    while value >= 1024 and unit != "GiB":
        value, unit = value / 1024, next(units)
    return f"{nbytes} B" if unit == "B" else f"{value:.1f} {unit}"
