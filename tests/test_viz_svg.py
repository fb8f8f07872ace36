"""viz: the SVG is well formed, readable and always the same; no name and no size breaks it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from counting import lines_run
from viz_oracles import SVG, Net, check_svg, run_script, small_loss

import autograd_cnn as ag
import viz
from autograd_cnn import nn
from autograd_cnn.nn import functional as F
from viz import layout_dot
from viz.palette import CIVIDIS, DARK, LIGHT, HeatScale, contrast, text_on
from viz.text import text_width

HOSTILE = [
    "\"q\" & 'a'",
    "<script>alert(1)</script>",
    "]]>",
    "a\nb\tc",
    "🙂 مرحبا",
    "x" * 500,
    "\x00\x1b\ud800",
    "{\\N}|%s",
]

SCRIPT = """
import numpy as np, autograd_cnn as ag, viz
from autograd_cnn import nn
ag.manual_seed(0)
net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
x = ag.tensor(np.arange(6, dtype=np.float32).reshape(2, 3))
with viz.record(net) as rec:
    (net(x) ** 2).sum().backward()
rec.trace.ns[:] = 0
print(viz.backward_graph(rec).svg())
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    x = ag.tensor([1.0], requires_grad=True)
    trace = viz.trace((x * 2).sum(), names={name: x})
    figure = viz.backward_graph(trace, title=name)
    root = ET.fromstring(figure.svg().encode())
    assert not list(root.iter(f"{SVG}script"))
    titles = [element.text or "" for element in root.iter(f"{SVG}title")]
    readable = name.replace("\x00", "\ufffd").replace("\x1b", "\ufffd").replace("\ud800", "\ufffd")
    assert any(readable in title for title in titles)
    check_svg(figure.svg(), trace)
    assert figure.dot().encode()
    assert viz.to_networkx(trace).nodes["n2"]["name"] == name
    if layout_dot.available():
        import pygraphviz

        again = pygraphviz.AGraph(string=figure.dot())
        assert (again.number_of_nodes(), again.number_of_edges()) == (trace.nodes, trace.edges)


class Residual(nn.Module):
    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)) for _ in range(blocks)])

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        for block in self.blocks:
            x = block(x) + x
        return x


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_a_residual_net_of_two_hundred_nodes_has_no_overlaps(direction: str) -> None:
    net = Residual(20)
    trace = viz.trace(net(ag.ones(2, 4)).sum(), model=net)
    assert trace.nodes > 150
    check_svg(viz.backward_graph(trace, direction=direction).svg(), trace)


@pytest.mark.parametrize("seed", range(3))
def test_long_skips_do_not_slow_the_layout_down(seed: int) -> None:
    """Twice as many nodes, any of which reads any other, are twice the work."""
    counts = []
    for size in (150, 300):
        rng = np.random.default_rng(seed)
        pool = [ag.tensor([1.0], requires_grad=True)]
        for _ in range(size):
            pool.append(pool[-1] + pool[rng.integers(len(pool))] if rng.random() < 0.5 else pool[-1].neg())
        trace = viz.trace(pool[-1])
        svg, lines = lines_run(viz.backward_graph(trace).svg)
        counts.append(lines)
    assert counts[1] < 2.5 * counts[0]
    check_svg(svg, trace)


def test_edges_do_not_run_across_boxes() -> None:
    net = Residual(6)
    scene = viz.backward_graph(net(ag.ones(2, 4)).sum(), model=net)._scene
    for wire in scene.wires:
        points = list(sampled(wire.route))
        for card in scene.cards:
            if card.item in (wire.tail, wire.head):
                continue
            left, top = card.x - card.width / 2 + 1, card.y - card.height / 2 + 1
            assert not any(left < x < left + card.width - 2 and top < y < top + card.height - 2 for x, y in points)


def sampled(route: list[tuple[float, float]]) -> list[tuple[float, float]]:
    points = []
    for k in range(0, len(route) - 1, 3):
        a, b, c, d = (np.array(p) for p in route[k : k + 4])
        for t in np.linspace(0, 1, 9):
            points.append(tuple((1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d))
    return points


def test_the_same_bytes_in_every_process() -> None:
    first = run_script(SCRIPT, PYTHONHASHSEED="1")
    assert first.startswith("<svg")
    assert run_script(SCRIPT, PYTHONHASHSEED="2", PATH="") == first


def test_fills_are_the_palette_of_the_numbers() -> None:
    net = Net()
    with viz.record(net) as rec:
        small_loss(net).backward()
    trace = rec.trace
    root = ET.fromstring(viz.backward_graph(rec).svg())
    known = [trace.grad[i].rms for i in range(trace.nodes) if trace.grad[i]]
    known += [trace.edge_grad[e].rms for e in range(trace.edges) if trace.edge_grad[e]]
    logs = np.log10([v for v in known if v > 0])
    low, high = np.floor(np.percentile(logs, 2)), np.ceil(np.percentile(logs, 98))
    for g in root.iter(f"{SVG}g"):
        heat = [r for r in g.findall(f"{SVG}rect") if r.attrib["class"] == "heat"]
        if heat and "id" in g.attrib:
            stat = trace.grad[int(g.attrib["id"].rpartition("-n")[2])]
            place = np.clip((np.log10(stat.rms) - low) / (high - low), 0, 1)
            assert heat[0].attrib["fill"] == CIVIDIS[min(8, int(place * 9))]


def test_texts_can_be_read_in_both_themes() -> None:
    grounds = ("page", "frame0", "frame1", "card", "parameter", "input", "constant", "fold")
    for colours in (LIGHT, DARK):
        assert all(contrast(colours["ink"], colours[ground]) >= 4.5 for ground in grounds)
        assert all(contrast(colours["muted"], colours[g]) >= 4.5 for g in ("page", "frame0", "frame1", "card", "fold"))
        assert contrast(colours["loss"], colours["card"]) >= 4.5
        for line, ground in (
            ("gradient", "frame1"),
            ("value", "page"),
            ("card-line", "page"),
            ("parameter-line", "frame1"),
        ):
            assert contrast(colours[line], colours[ground]) >= 3
    assert all(contrast(text_on(fill), fill) >= 4.5 for fill in CIVIDIS)
    assert contrast("#ffffff", "#a0156f") >= 4.5


def test_a_scale_covers_whole_decades() -> None:
    scale = HeatScale.of([1e-4, 1e-2, float("nan"), 0.0])
    assert (scale.low, scale.high) == (-4, -2)
    assert (scale.colour(1e-9), scale.colour(1.0)) == (CIVIDIS[0], CIVIDIS[-1])
    assert HeatScale.of([0.0]) is None


def test_lenet5_is_drawn_at_once() -> None:
    from autograd_cnn.models.lenet5 import LeNet5

    net = LeNet5()
    loss = F.cross_entropy(net(ag.ones(2, 1, 28, 28)), ag.tensor(np.array([0, 1])))
    figure = viz.backward_graph(loss, model=net)
    svg, lines = lines_run(figure.svg)
    assert lines < 60_000
    check_svg(svg, figure.trace)


def test_the_name_of_a_loss_keeps_clear_of_its_marks() -> None:
    x = ag.randn(4, 3, requires_grad=True)
    root = ET.fromstring(viz.backward_graph(F.cross_entropy(x, ag.tensor([0, 1, 2, 0]))).svg())
    [title] = [element for element in root.iter(f"{SVG}text") if element.text == "CrossEntropy"]
    mark = next(element for element in root.iter(f"{SVG}rect") if element.get("class") == "saved")
    assert abs(float(title.get("y")) - float(mark.get("y"))) < 15  # of the same box
    assert float(title.get("x")) + text_width("CrossEntropy", 13.0, False) < float(mark.get("x"))
