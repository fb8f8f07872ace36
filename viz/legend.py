"""The legend: an entry for everything that occurs in the picture, and for nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from viz.cards import plus, saved_mark
from viz.ink import arrow_head, cut_corner, cylinder, num, path, rect, text
from viz.model import Kind
from viz.palette import CIVIDIS, HeatScale
from viz.scene import Scene
from viz.text import text_width

Entry = tuple[float, str, str]  # width of the sign, the sign round y = 0, what it means
ROW = 26.0
FONT = 11.0


def legend(scene: Scene, scale: HeatScale | None, width: float) -> tuple[str, float]:
    """The legend as SVG, in rows of at most `width`, and its height."""
    parts = [path(f"M0 0H{num(width)}", "line")]
    x, y = 0.0, 24.0
    for sign_width, sign, meaning in _entries(scene, scale):
        needed = sign_width + 8 + text_width(meaning, FONT, mono=False, bold=False)
        if x and x + needed > width:
            x, y = 0.0, y + ROW
        parts.append(f'<g transform="translate({num(x)} {num(y)})">{sign}{text(sign_width + 7, 4, meaning, "t")}</g>')
        x += needed + 20
    return "".join(parts), y + 14


def _entries(scene: Scene, scale: HeatScale | None) -> Iterator[Entry]:
    trace, cards = scene.view.trace, scene.cards
    shown = scene.view.shown
    kinds = {card.kind for card in cards}
    if any(card.kind == Kind.OP and not card.root for card in cards):
        yield 30, path(cut_corner(0, -8, 30, 16, 6, 3), "card"), "backward op"
    if any(card.root for card in cards):
        rim = path(cut_corner(0, -9, 34, 18, 7, 5), "rim") + path(cut_corner(3, -6, 28, 12, 5, 3), "card root")
        seed = any(trace.numel(i) == 1 for i in trace.roots)
        yield 34, rim, "loss: start, seed gradient 1" if seed else "output: start of backward"
    if any(trace.view[i] for i in shown):
        yield 30, path(cut_corner(0, -8, 30, 16, 6, 3), "card view"), "view (shares memory)"
    if any(trace.order[i] > 1 for i in shown):
        yield 30, path(cut_corner(0, -8, 30, 16, 6, 3), "card second"), "∂n: recorded by a backward pass"
    if Kind.PARAMETER in kinds:
        body, rim = cylinder(0, -9, 26, 18, 3)
        yield 26, path(body, "parameter") + path(rim, "parameter-rim"), "parameter"
    if Kind.INPUT in kinds:
        yield 30, path("M6 -8H30L24 8H0Z", "input"), "leaf that requires grad"
    if Kind.CONSTANT in kinds:
        yield 30, rect(0, -8, 30, 16, "constant", 8), "constant (no gradient)"
    if None in kinds:
        yield 28, rect(0, -5, 24, 12, "fold", 1) + path("M0 -5l4 -4h24v12l-4 4v-12zm24 0l4 -4", "fold"), "folded"
    if Kind.PARAMETER in kinds or Kind.INPUT in kinds:
        yield 16, plus(8, 0, "+"), "AccumulateGrad: adds to .grad"
    if any(card.fan_in > 1 for card in cards):
        yield 26, plus(13, 0, "+2"), "sum of n gradients"
    yield from _wires(scene)
    states = {bool(trace.freed[i]) for i in shown if trace.saved_bytes[i] > 0}
    if False in states:
        yield 9, saved_mark(1, -3.5, False), "holds saved tensors"
    if True in states:
        yield 9, saved_mark(1, -3.5, True), "saved tensors freed"
    stats = [card.stat for card in cards if card.pill]
    if scale is not None and any(stat is not None for stat in stats):
        yield _heat(scale)
    if any(stat is None for stat in stats):
        yield 20, rect(0, -6, 20, 12, "unknown", 6), "gradient not recorded"
    if any(stat is not None and stat.rms == 0 for stat in stats):
        yield 20, rect(0, -7, 20, 14, "zero", 7) + path("M6 -4l8 8m0 -8l-8 8", "cross"), "exactly 0"
    if any(stat is not None and stat.nonfinite for stat in stats):
        yield 20, rect(0, -7, 20, 14, "bad", 7), "NaN or inf"


def _wires(scene: Scene) -> Iterator[Entry]:
    trace = scene.view.trace
    gradient = [wire for wire in scene.wires if trace.differentiable[wire.edge]]

    def line(style: str, thick: float) -> str:
        head = arrow_head((34, 0), (0, 0), 6 + thick)
        return (
            f'<g class="{style}">{path("M0 0H29", "wire", f" stroke-width={chr(34)}{num(thick)}{chr(34)}")}'
            f'<polygon points="{head}" class="tip"/></g>'
        )

    if gradient:
        known = any(trace.edge_grad[wire.edge] is not None for wire in gradient)
        yield (
            34,
            line("gradient known", 3.0 if known else 1.4),
            "gradient" + (", wider is larger (log RMS)" if known else ""),
        )
    if any((s := trace.edge_grad[wire.edge]) is not None and s.rms == 0 for wire in gradient):
        yield 34, line("gradient known nil", 1.4), "gradient exactly 0"
    if any((s := trace.edge_grad[wire.edge]) is not None and s.nonfinite for wire in gradient):
        yield 34, line("gradient ill", 2.5), "NaN or inf gradient"
    if len(gradient) < len(scene.wires):
        yield 34, line("flow", 1.0), "value only"


def _heat(scale: HeatScale) -> Entry:
    """The colour bar with a tick at each decade (at most six)."""
    cell = 17.0
    bar = [rect(k * cell, -8, cell, 9, "swatch", 0, f' fill="{colour}"') for k, colour in enumerate(CIVIDIS)]
    total = cell * len(CIVIDIS)
    decades = scale.high - scale.low
    stride = -(-decades // 5)
    for d in range(0, decades + 1, stride):
        x = total * d / decades
        bar.append(path(f"M{num(x)} 1v3", "line"))
        bar.append(text(x, 13, f"1e{scale.low + d}", "t mono dim", "middle"))
    return total + 14, f'<g transform="translate(10 0)">{"".join(bar)}</g>', "gradient RMS (L2 / √n)"
