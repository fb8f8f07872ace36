"""The SVG of a scene: one self-contained document whose bytes depend on the trace and the options alone."""

from __future__ import annotations

import hashlib

from viz import ink
from viz.cards import draw_card
from viz.legend import legend
from viz.model import GraphTrace, Kind, Stat
from viz.palette import DARK, LIGHT, HeatScale
from viz.scene import Card, Scene, Wire
from viz.text import MONO, SANS, number, shape_text, size_text, text_width

MARGIN = 24.0
PREFIX = "viz-0000000000"  # stands for the content's hash until that is known

STYLE = """
#ID{font-family:SANS;background:var(--page)}
#ID .page{fill:var(--page)}
#ID .t{fill:var(--ink);font-size:11px}
#ID .head{font-size:18px;font-weight:650}
#ID .sub{font-size:12px;fill:var(--muted)}
#ID .name{font-size:13px;font-weight:600}
#ID .caption{font-size:11.5px;font-weight:600;fill:var(--muted)}
#ID .mono{font-family:MONO;font-size:10.5px}
#ID .dim{fill:var(--muted)}
#ID .b{font-weight:700}
#ID .frame{stroke:var(--frame-line);stroke-width:1}
#ID .even{fill:var(--frame0)}
#ID .odd{fill:var(--frame1)}
#ID .card{fill:var(--card);stroke:var(--card-line);stroke-width:1.2}
#ID .view{stroke-dasharray:2 3}
#ID .second{stroke:var(--gradient);stroke-width:2}
#ID .root{stroke:var(--loss);stroke-width:1.6}
#ID .rim{fill:var(--card);stroke:var(--loss);stroke-width:1.6}
#ID .parameter{fill:var(--parameter);stroke:var(--parameter-line);stroke-width:1.3}
#ID .parameter-rim{fill:none;stroke:var(--parameter-line);stroke-width:1}
#ID .input{fill:var(--input);stroke:var(--input-line);stroke-width:1.3}
#ID .constant{fill:var(--constant);stroke:var(--constant-line);stroke-width:1.2;stroke-dasharray:5 3}
#ID .fold{fill:var(--fold);stroke:var(--fold-line);stroke-width:1.2}
#ID .sum{fill:var(--page);stroke:var(--gradient);stroke-width:1.5}
#ID .saved{fill:var(--muted);stroke:var(--muted);stroke-width:1}
#ID .freed{fill:none}
#ID .strike{stroke:var(--muted);stroke-width:1.2;fill:none}
#ID .unknown{fill:url(#ID-hatch);stroke:var(--hatch);stroke-width:.8}
#ID .heat{stroke:var(--card-line);stroke-width:.6}
#ID .zero{fill:#fff;stroke:#66758a;stroke-width:.8}
#ID .cross{stroke:#66758a;stroke-width:1.2;fill:none}
#ID .onzero{fill:#17202c}
#ID .bad{fill:#a0156f;stroke:var(--bad);stroke-width:1.2}
#ID .onblack{fill:#000}
#ID .onwhite{fill:#fff}
#ID .start{fill:var(--loss)}
#ID .onbad{fill:#fff;font-weight:700}
#ID .wire{fill:none;stroke:var(--gradient);stroke-linecap:butt;stroke-linejoin:round}
#ID .tip{fill:var(--gradient)}
#ID .known .wire{stroke-opacity:.82}
#ID .nil .wire{stroke-dasharray:4 3}
#ID .ill .wire{stroke:var(--bad)}
#ID .ill .tip{fill:var(--bad)}
#ID .flow .wire{stroke:var(--value);stroke-width:1}
#ID .flow .tip{fill:var(--value)}
#ID .line{stroke:var(--frame-line);stroke-width:1}
""".strip()


def write_svg(scene: Scene, heading: str, subtitle: list[str], theme: str) -> str:
    """The document as text."""
    trace = scene.view.trace
    scale = heat_scale(trace)
    head = MARGIN + 22 + 18 * len(subtitle) + 14
    key_width = max(scene.width, 640.0, text_width(heading, 18, False), *(text_width(s, 12, False) for s in subtitle))
    key, key_height = legend(scene, scale, key_width)
    width = key_width + 2 * MARGIN
    left = (width - scene.width) / 2
    height = head + scene.height + 30 + key_height + MARGIN
    body = [ink.rect(0, 0, width, height, "page")]
    body.append(ink.text(MARGIN, MARGIN + 14, heading, "t head"))
    body += [ink.text(MARGIN, MARGIN + 36 + 18 * k, line, "t sub") for k, line in enumerate(subtitle)]
    body.append(f'<g transform="translate({ink.num(left)} {ink.num(head)})">')
    body += _frames(scene)
    body += [_wire(scene, wire, scale) for wire in scene.wires]
    body += [_caption(scene, c) for c in scene.view.calls]
    body += [_card(scene, card, scale) for card in scene.cards]
    body.append("</g>")
    body.append(f'<g transform="translate({ink.num(MARGIN)} {ink.num(head + scene.height + 30)})">{key}</g>')
    root = (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{PREFIX}" width="{ink.num(width)}" height="{ink.num(height)}" '
        f'viewBox="0 0 {ink.num(width)} {ink.num(height)}" role="graphics-document" aria-labelledby="{PREFIX}-title" '
        f'data-visible="{scene.view.items - len(scene.view.folds)}" data-hidden="{scene.view.hidden}">'
    )
    hatch = (
        f'<defs><pattern id="{PREFIX}-hatch" width="5" height="5" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect width="5" height="5" fill="none"/>'
        '<path d="M0 0V5" stroke="var(--hatch)" stroke-width="2.4"/></pattern></defs>'
    )
    titled = f'<title id="{PREFIX}-title">{ink.content(heading)}</title><desc>{ink.content(" ".join(subtitle))}</desc>'
    document = "\n".join([root, titled, f"<style>{style(theme)}</style>", hatch, *body, "</svg>", ""])
    digest = hashlib.sha256(document.encode()).hexdigest()[:10]
    return document.replace(PREFIX, f"viz-{digest}")


def heat_scale(trace: GraphTrace) -> HeatScale | None:
    """One scale for nodes and edges, so that colours compare across the picture."""
    values = [
        float(x)
        for stats in (trace.grad, trace.edge_grad)
        for x, n in zip(stats.rms, stats.nonfinite, strict=True)
        if n == 0
    ]
    return HeatScale.of(values)


def style(theme: str) -> str:
    """Colours are variables; `auto` follows the reader's light or dark."""

    def variables(colours: dict[str, str]) -> str:
        return f"#{PREFIX}{{" + ";".join(f"--{name}:{value}" for name, value in colours.items()) + "}"

    sheet = variables(DARK if theme == "dark" else LIGHT)
    if theme == "auto":
        sheet += f"\n@media (prefers-color-scheme:dark){{{variables(DARK)}}}"
    return sheet + "\n" + STYLE.replace("SANS", SANS).replace("MONO", MONO).replace("ID", PREFIX)


def _frames(scene: Scene) -> list[str]:
    trace = scene.view.trace
    parts = []
    for c in scene.view.calls:
        frame, level, parent = scene.frames[c], 0, trace.calls[c].parent
        while parent >= 0:
            level, parent = level + 1, trace.calls[parent].parent
        call = trace.calls[c]
        what = ink.title(f"module {call.path or '(outermost)'}: {call.module}")
        box = ink.rect(
            frame.left,
            frame.top,
            frame.right - frame.left,
            frame.bottom - frame.top,
            f"frame {'odd' if level % 2 else 'even'}",
            10,
        )
        parts.append(f'<g id="{PREFIX}-c{c}" class="cluster">{what}{box}</g>')
    return parts


def _caption(scene: Scene, c: int) -> str:
    frame = scene.frames[c]
    return ink.text(frame.left + 12, frame.top + 16, scene.captions[c], "t caption")


def _wire(scene: Scene, wire: Wire, scale: HeatScale | None) -> str:
    trace = scene.view.trace
    stat = trace.edge_grad[wire.edge] if wire.count == 1 else None
    route, flow = wire.route, not trace.differentiable[wire.edge]
    if flow:
        route = route[::-1]
    kind, thick = "flow" if flow else "gradient", 1.4
    if stat is not None and stat.nonfinite:
        kind, thick = "gradient known ill", 2.5
    elif stat is not None and stat.rms == 0:
        kind = "gradient known nil"
    elif stat is not None and scale is not None:
        kind, thick = "gradient known", scale.width(stat.rms)
    size = 6.0 if flow else 7.0 + thick
    (x, y), before = route[-1], next((p for p in route[-2::-1] if p != route[-1]), route[0])
    if abs(x - before[0]) > abs(y - before[1]):
        end = (x - (size - 1) * (1 if x > before[0] else -1), y)
    else:
        end = (x, y - (size - 1) * (1 if y > before[1] else -1))
    line = ink.path(ink.curve([*route[:-1], end]), "wire", "" if flow else f' stroke-width="{ink.num(thick)}"')
    tip = f'<polygon points="{ink.arrow_head((x, y), before, size)}" class="tip"/>'
    label = ""
    if wire.label:
        label = _argument(wire, scene.cards[wire.tail], scene.direction == "LR")
    t, h = trace.tail[wire.edge], trace.head[wire.edge]
    ends = (
        f'data-tail="{_item_id(scene, wire.tail)}" data-head="{_item_id(scene, wire.head)}" data-count="{wire.count}"'
    )
    what = ink.title(_edge_tip(trace, wire, int(t), int(h), stat))
    return f'<g id="{PREFIX}-e{wire.edge}" class="edge {kind}" {ends}>{what}{line}{tip}{label}</g>'


def _argument(wire: Wire, tail: Card, turned: bool) -> str:
    """The argument's name at the start of its edge, on the side where no other edge is."""
    x, y = wire.route[0]
    if turned:
        return ink.text(x + 5, y - 5 if y <= tail.y else y + 13, wire.label, "t mono dim")
    left = x <= tail.x
    return ink.text(x - 5 if left else x + 5, y + 12, wire.label, "t mono dim", "end" if left else "start")


def _item_id(scene: Scene, item: int) -> str:
    card = scene.cards[item]
    return f"n{card.node}" if card.node >= 0 else f"f{item - len(scene.view.shown)}"


def _card(scene: Scene, card: Card, scale: HeatScale | None) -> str:
    trace = scene.view.trace
    tip = node_tip(trace, card.node) if card.node >= 0 else f"{card.title}: folded, {card.foot}"
    kind = "fold" if card.kind is None else card.kind.name.lower()
    root = "-root" if card.root else ""
    box = " ".join(ink.num(v) for v in (card.x - card.width / 2, card.y - card.height / 2, card.width, card.height))
    return (
        f'<g id="{PREFIX}-{_item_id(scene, card.item)}" class="node {kind}{root}-node" role="graphics-symbol" '
        f'data-box="{box}" aria-label={ink.quoted(tip.splitlines()[0])}>{ink.title(tip)}'
        f"{draw_card(card, trace, scale, scene.direction == 'LR')}</g>"
    )


def _stat_lines(stat: Stat | None, what: str) -> list[str]:
    if stat is None:
        return [f"{what}: not recorded"]
    lines = [f"{what}: rms {stat.rms:.6g}, L2 {stat.l2:.6g}, absmax {stat.absmax:.6g}"]
    if stat.frac_zero:
        lines.append(f"zeros: {stat.frac_zero:.1%}")
    if stat.nonfinite:
        lines.append(f"not finite: {stat.nonfinite} elements")
    return lines


def node_tip(trace: GraphTrace, i: int) -> str:
    """All that is known of a node, a line each; the first is what it is."""
    kind = trace.kind[i]
    lines = [f"{kind.name.lower()} {trace.name[i]}, {shape_text(trace.shape[i])} {trace.dtype[i] or ''}".rstrip()]
    lines += [f"{name} = {value}" for name, value in trace.fields[i].items()]
    path = trace.path(i)
    if path is not None:
        lines.append(f"module: {path or '(outermost)'}")
    if kind == Kind.CONSTANT:
        return "\n".join([*lines, "outside of the graph: no gradient reaches it"])
    lines += _stat_lines(trace.grad[i], "gradient" if kind == Kind.OP else "AccumulateGrad, .grad")
    if kind == Kind.OP:
        if trace.saved_bytes[i]:
            lines.append(
                f"saved for backward: {size_text(int(trace.saved_bytes[i]))}{', freed' if trace.freed[i] else ''}"
            )
        if trace.ns[i] >= 0:
            lines.append(f"backward: {trace.ns[i] / 1000:.1f} µs")
        if trace.order[i] > 1:
            lines.append(f"recorded by a backward pass: order {trace.order[i]}")
        if trace.timestep[i] >= 0:
            lines.append(f"time step {trace.timestep[i]}")
    return "\n".join(lines)


def _edge_tip(trace: GraphTrace, wire: Wire, tail: int, head: int, stat: Stat | None) -> str:
    if wire.count > 1:
        return f"{wire.count} edges"
    lines = [f"{trace.name[tail]}, argument {trace.argument[wire.edge]}: from {trace.name[head]}"]
    lines.append(f"value: {shape_text(trace.shape[head])} {trace.dtype[head] or ''}".rstrip())
    if trace.differentiable[wire.edge]:
        lines += _stat_lines(stat, "gradient")
    return "\n".join(lines)


def summary(trace: GraphTrace) -> str:
    """One line that counts the nodes by kind, and the edges."""
    words = {Kind.OP: "op", Kind.PARAMETER: "parameter", Kind.INPUT: "input", Kind.CONSTANT: "constant"}
    counts = [(trace.count(kind), word) for kind, word in words.items()]
    listed = ", ".join(f"{n:,} {word}{'s' if n != 1 else ''}" for n, word in counts if n)
    return f"{trace.nodes:,} nodes ({listed}), {trace.edges:,} edges"


def largest(trace: GraphTrace) -> str:
    """The largest gradient, for text summaries."""
    known = [float(x) for x, n in zip(trace.grad.rms, trace.grad.nonfinite, strict=True) if n == 0]
    return f"largest gradient rms {number(max(known))}" if known else "no gradients recorded"
