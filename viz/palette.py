"""Colours: Okabe-Ito for what a thing is, cividis for how large a gradient is; light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

CIVIDIS = ("#00224e", "#1a386f", "#434e6c", "#61656f", "#7d7c78", "#9b9476", "#bcae6c", "#dec958", "#fee838")
NONFINITE = "#a0156f"

LIGHT = {
    "page": "#ffffff",
    "ink": "#17202c",
    "muted": "#4c5868",
    "frame0": "#f4f6f9",
    "frame1": "#e9edf3",
    "frame-line": "#b4bfcd",
    "card": "#ffffff",
    "card-line": "#66758a",
    "parameter": "#e0f3ec",
    "parameter-line": "#00795a",
    "input": "#fdf0d8",
    "input-line": "#9a6700",
    "constant": "#f1f2f4",
    "constant-line": "#6b7684",
    "fold": "#e3eefb",
    "fold-line": "#2f6ea8",
    "loss": "#c04f00",
    "gradient": "#0072b2",
    "value": "#7d8896",
    "bad": "#a0156f",
    "hatch": "#8a95a3",
}
DARK = {
    "page": "#10151c",
    "ink": "#e9eef5",
    "muted": "#aeb9c7",
    "frame0": "#171e27",
    "frame1": "#1f2833",
    "frame-line": "#46556a",
    "card": "#232d3a",
    "card-line": "#8796aa",
    "parameter": "#143a30",
    "parameter-line": "#3fc39a",
    "input": "#40310f",
    "input-line": "#e0a83a",
    "constant": "#272e38",
    "constant-line": "#929eae",
    "fold": "#16304a",
    "fold-line": "#6bb1ea",
    "loss": "#ff9650",
    "gradient": "#56b4e9",
    "value": "#8f9bab",
    "bad": "#f06cc0",
    "hatch": "#7d8a9b",
}


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, 0 to 1 (WCAG 2)."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2).

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def text_on(fill: str) -> str:
    """Black or white, whichever reads better on `fill`."""
    return max("#000000", "#ffffff", key=lambda ink: contrast(ink, fill))


@dataclass(frozen=True)
class HeatScale:
    """RMS to colour, in equal steps of its logarithm over whole decades 10**low ... 10**high."""

    low: int
    high: int

    @classmethod
    def of(cls, values: Iterable[float]) -> HeatScale | None:
        """A scale over the 2nd to 98th percentile of the positive finite values; None where there are none."""
        logs = [math.log10(v) for v in values if math.isfinite(v) and v > 0]
        if not logs:
            return None
        low, high = (float(q) for q in np.percentile(logs, (2, 98)))
        first, last = math.floor(low), math.ceil(high)
        return cls(first, max(last, first + 1))

    def share(self, rms: float) -> float:
        """Where a value lies on the scale, 0 to 1."""
        return min(1.0, max(0.0, (math.log10(rms) - self.low) / (self.high - self.low)))

    def colour(self, rms: float) -> str:
        return CIVIDIS[min(len(CIVIDIS) - 1, int(self.share(rms) * len(CIVIDIS)))]

    def width(self, rms: float) -> float:
        """Of an edge: 1 to 6 pixels."""
        return 1.0 + 5.0 * self.share(rms)
