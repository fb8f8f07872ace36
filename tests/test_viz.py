"""viz: the picture is the graph - every node, every edge, the numbers - and no name, size or missing tool breaks it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import combinations
from pathlib import Path

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_cnn as ag
import viz
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DataError, GraphError, MissingDependencyError
from autograd_cnn.graph.node import AccumulateGrad
from autograd_cnn.nn import functional as F
from viz import layout_dot
from viz.model import GraphTrace, Kind
from viz.palette import CIVIDIS, DARK, LIGHT, HeatScale, contrast, text_on

SVG = "{http://www.w3.org/2000/svg}"
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


# Oracles, independent of viz.capture


def edges_of(root: ag.Tensor) -> tuple[int, Counter]:
    """Distinct nodes, and the multiset of edges by the nodes' numbers; leaves by identity, constants each their own."""
    seen: dict[object, str] = {}
    edges: Counter = Counter()
    constants = 0
    stack = [root.grad_fn]
    while stack:
        node = stack.pop()
        key = f"op{node.seq_nr}"
        if node in seen:
            continue
        seen[node] = key
        for position, (source, slot) in enumerate(node.next_functions):
            if source is None:
                constants += 1
                edges[key, "constant", position, 0] += 1
            elif isinstance(source, AccumulateGrad):
                seen.setdefault(source, f"leaf{id(source.variable)}")
                edges[key, seen[source], position, slot] += 1
            else:
                edges[key, f"op{source.seq_nr}", position, slot] += 1
                stack.append(source)
    return len(seen) + constants, edges


def edges_of_trace(trace: GraphTrace, leaves: dict[str, ag.Tensor]) -> Counter:
    def key(i: int) -> str:
        if trace.kind[i] == Kind.OP:
            return f"op{trace.seq[i]}"
        return "constant" if trace.kind[i] == Kind.CONSTANT else f"leaf{id(leaves[trace.name[i]])}"

    ends = zip(trace.tail, trace.head, trace.position, trace.slot, strict=True)
    return Counter((key(t), key(h), int(p), int(s)) for t, h, p, s in ends)


def random_graph(choices: list[int]) -> tuple[ag.Tensor, dict[str, ag.Tensor]]:
    """A loss made of ops that a list of numbers chooses: x * x, shared leaves, views, several outputs, constants."""
    leaves = {name: ag.tensor([0.3, -0.7], requires_grad=True) for name in ("a", "b", "c")}
    pool = [*leaves.values(), ag.tensor([1.0, 2.0])]
    for n in choices:
        x, y = pool[n % len(pool)], pool[(n // 7) % len(pool)]
        makers = (
            lambda x=x, y=y: x + y,
            lambda x=x: x * x,
            lambda x=x, y=y: x * y,
            lambda x=x: x.tanh(),
            lambda x=x: x.reshape(2, 1).reshape(2),
            lambda x=x: x.flip(0),
            lambda x=x: ag.cat([x, x]).chunk(2)[1],
            lambda x=x, y=y: ag.stack([x, y, x]).sum(0),
            lambda x=x: x.detach() * x if x.requires_grad else x + 1,
        )
        pool.append(makers[(n // 61) % len(makers)]())
    total = sum((x.sum() for x in pool[4:] if x.requires_grad), start=leaves["a"].sum())
    return total, leaves


# The graph


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 100_000), max_size=14), st.booleans())
def test_the_trace_is_the_graph(choices: list[int], second_order: bool) -> None:
    loss, leaves = random_graph(choices)
    if second_order:
        (g,) = ag.autograd.grad((loss * loss).sum(), leaves["a"], create_graph=True)
        loss = g.sum() if g.requires_grad else loss
    trace = viz.trace(loss, names=leaves)
    nodes, edges = edges_of(loss)
    assert trace.nodes == nodes
    assert edges_of_trace(trace, leaves) == edges
    assert sum(edges.values()) == trace.edges
    assert all(t < h for t, h in zip(trace.tail, trace.head, strict=True))
    figure = viz.backward_graph(trace)
    check_svg(figure.svg(), trace)


def test_every_input_of_the_root_is_first_and_parallel_edges_stay() -> None:
    x = ag.tensor(3.0, requires_grad=True)
    trace = viz.trace(x * x)
    assert (trace.tail.tolist(), trace.head.tolist(), trace.argument) == ([0, 0], [1, 1], ["x", "other"])
    graph = viz.to_networkx(x * x)
    assert isinstance(graph, networkx.MultiDiGraph)
    assert graph.number_of_edges("n0", "n1") == 2
    assert viz.backward_graph(x * x).dot().count("n0 -> n1") == 2


def test_doubling_twenty_times_is_linear() -> None:
    x = ag.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(20):
        y = y + y
    trace = viz.trace(y)
    assert (trace.nodes, trace.edges) == (21, 40)
    assert len(viz.backward_graph(trace).svg()) < 100_000


def test_a_chain_of_fifty_thousand_ops() -> None:
    y = x = ag.tensor([0.5], requires_grad=True)
    for _ in range(50_000):
        y = y.neg()
    figure = viz.backward_graph(y)
    root = ET.fromstring(figure.svg())
    assert (figure.trace.nodes, figure.trace.edges) == (50_001, 50_000)
    visible, hidden = int(root.attrib["data-visible"]), int(root.attrib["data-hidden"])
    assert visible + hidden == 50_001
    assert visible <= 1500
    text = "".join(root.itertext())
    assert f"drawn {visible:,} + folded {hidden:,} = 50,001" in text
    assert len(figure.trace.to_json()) > 0
    assert figure.dot().count("->") == visible  # a chain of the visible ones and the fold
    assert x.requires_grad


# Numbers


def rms(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))


def test_recorded_gradients_are_those_of_a_hand_calculation() -> None:
    a = np.array([0.5, -1.0, 2.0])
    x = ag.tensor(a, requires_grad=True)
    with viz.record() as rec:
        (x * x).tanh().sum().backward()
    trace = rec.trace
    assert trace.name == ["SumBackward", "TanhBackward", "MulBackward", "leaf"]
    through_tanh = 1 - np.tanh(a * a) ** 2
    arriving = [np.ones(()), np.ones(3), through_tanh, 2 * a * through_tanh]
    for i, g in enumerate(arriving):
        assert trace.grad.rms[i] == pytest.approx(rms(g), rel=1e-12)
        assert trace.grad.l2[i] == pytest.approx(np.linalg.norm(g), rel=1e-12)
        assert trace.grad.absmax[i] == pytest.approx(np.abs(g).max(), rel=1e-12)
    along = [np.ones(3), through_tanh, a * through_tanh, a * through_tanh]
    assert trace.edge_grad.rms.tolist() == pytest.approx([rms(g) for g in along], rel=1e-12)
    assert trace.steps == [0, 1, 2]
    assert (trace.ns[:3] >= 0).all()
    assert trace.freed[:3].all()


def test_a_broadcast_gradient_is_measured_after_its_sum() -> None:
    x, b = ag.tensor(np.ones((4, 3)), requires_grad=True), ag.tensor(np.zeros(3), requires_grad=True)
    with viz.record() as rec:
        (x + b).sum().backward()
    trace = rec.trace
    to_b = next(e for e in range(trace.edges) if trace.shape[trace.head[e]] == (3,))
    assert trace.edge_grad.rms[to_b] == pytest.approx(4.0)
    assert trace.grad.rms[trace.head[to_b]] == pytest.approx(4.0)


def test_edges_into_a_sum_keep_their_own_gradients() -> None:
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    h = x * 1.0
    with viz.record() as rec:
        (h * 2 + h * 30 + h * 400).sum().backward()
    trace = rec.trace
    node = next(i for i in range(trace.nodes) if trace.shape[i] == (2,) and sum(trace.head == i) == 3)
    assert sorted(trace.edge_grad.rms[trace.head == node].tolist()) == pytest.approx([2.0, 30.0, 400.0])
    assert trace.grad.rms[node] == pytest.approx(432.0)


def test_without_a_backward_pass_nothing_is_shown_as_zero() -> None:
    net = nn.Linear(3, 2)
    loss = net(ag.ones(4, 3)).sum()
    trace = viz.trace(loss, model=net)
    assert all(trace.grad[i] is None for i in range(trace.nodes))
    svg = viz.backward_graph(trace).svg()
    assert "gradient not recorded" in svg
    assert 'class="zero"' not in svg
    assert 'class="heat"' not in svg


def test_after_backward_the_parameters_have_gradients_and_the_ops_do_not() -> None:
    net = nn.Linear(3, 2)
    loss = net(ag.tensor(np.arange(12.0, dtype=np.float32).reshape(4, 3))).sum()
    loss.backward()
    trace = viz.trace(loss, model=net)
    for i in range(trace.nodes):
        stat = trace.grad[i]
        if trace.kind[i] == Kind.PARAMETER:
            expected = dict(net.named_parameters())[trace.name[i]].grad.numpy()
            assert stat is not None
            assert stat.rms == pytest.approx(rms(expected), rel=1e-6)
        else:
            assert stat is None
    svg = viz.backward_graph(trace).svg()
    assert "saved tensors freed" in svg


def test_zero_nan_and_infinity_are_told_apart() -> None:
    x = ag.tensor([0.0, 1.0], requires_grad=True)
    with viz.record() as rec:
        (x.sqrt() * ag.tensor([0.0, 0.0])).sum().backward()  # 0 / 0 at the leaf
    assert rec.trace.grad.nonfinite.max() >= 1
    svg = viz.backward_graph(rec).svg()
    assert "NaN or inf" in svg
    assert "exactly 0" in svg
    restored = GraphTrace.from_json(rec.trace.to_json())
    assert viz.backward_graph(restored).svg() == svg


def test_only_the_last_pass_is_kept() -> None:
    w = ag.tensor(2.0, requires_grad=True)
    with viz.record() as rec:
        (w * w * w).backward()
        (w * 5).backward()
    assert rec.trace.count(Kind.OP) == 1
    assert rec.trace.edge_grad.rms[0] == pytest.approx(5.0)


def test_a_recorder_that_saw_nothing_says_so() -> None:
    with viz.record() as rec:
        pass
    with pytest.raises(GraphError, match="no backward pass ran"):
        viz.backward_graph(rec)


# Names and modules


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return self.body(x) + x[:, :2]


def small_loss(net: nn.Module) -> ag.Tensor:
    return F.cross_entropy(net(ag.tensor(np.eye(4, dtype=np.float32))), ag.tensor(np.array([0, 1, 1, 0])))


def test_parameters_have_their_dotted_names_and_ops_lie_in_their_modules() -> None:
    net = Net()
    for trace in (viz.trace(small_loss(net), model=net), viz.trace(small_loss(net))):
        names = {trace.name[i] for i in range(trace.nodes) if trace.kind[i] == Kind.PARAMETER}
        assert names == {name for name, _ in net.named_parameters()}
        paths = {trace.label[i]: trace.path(i) for i in range(trace.nodes) if trace.kind[i] == Kind.OP}
        assert paths["Tanh"] == "body.1"
        assert paths["CrossEntropy"] is None
        assert trace.path(trace.name.index("body.0.weight")) == "body.0"
    figure = viz.backward_graph(small_loss(net), model=net)
    frames = check_svg(figure.svg(), figure.trace)
    assert len(frames) == len(figure.trace.calls) == 5


def test_a_module_called_twice_has_two_frames_and_its_parameters_are_outside_of_both() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.Linear(3, 3)

        def forward(self, x: ag.Tensor) -> ag.Tensor:
            return self.cell(self.cell(x))

    trace = viz.trace(Twice()(ag.ones(1, 3)).sum())
    assert [call.path for call in trace.calls].count("cell") == 2
    assert trace.path(trace.name.index("cell.weight")) == ""
    check_svg(viz.backward_graph(trace).svg(), trace)


def test_depth_folds_modules_and_counts_what_it_hides() -> None:
    net = Net()
    full = viz.trace(small_loss(net), model=net)
    for depth in range(4):
        figure = viz.backward_graph(full, depth=depth)
        root = ET.fromstring(figure.svg())
        assert int(root.attrib["data-visible"]) + int(root.attrib["data-hidden"]) == full.nodes
        groups = figure._view.of
        crossing = sum(groups[t] != groups[h] for t, h in zip(full.tail, full.head, strict=True))
        drawn = [g for g in root.iter(f"{SVG}g") if "edge" in g.attrib.get("class", "").split()]
        assert sum(int(g.attrib["data-count"]) for g in drawn) == crossing


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


# The SVG


def check_svg(svg: str, trace: GraphTrace) -> list[list[float]]:
    """Parses; unique ids; nodes and edges as in the trace; inside the page, nothing overlaps; returns the frames."""
    root = ET.fromstring(svg)
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    prefix = root.attrib["id"] + "-"
    groups = [g for g in root.iter(f"{SVG}g") if "id" in g.attrib]
    nodes = {g.attrib["id"].removeprefix(prefix): g for g in groups if "node" in g.attrib["class"].split()}
    edges = [g for g in groups if "edge" in g.attrib["class"].split()]
    assert set(nodes) == {f"n{i}" for i in range(trace.nodes)}
    drawn = Counter((g.attrib["data-tail"], g.attrib["data-head"]) for g in edges)
    assert drawn == Counter((f"n{t}", f"n{h}") for t, h in zip(trace.tail, trace.head, strict=True))
    for element in root.iter():
        for key, value in element.attrib.items():
            assert not key.endswith("href")
            assert "url(" not in value or "url(#" in value
    assert "<!DOCTYPE" not in svg
    assert "http" not in svg.replace('xmlns="http://www.w3.org/2000/svg"', "")
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert root.attrib["viewBox"] == f"0 0 {root.attrib['width']} {root.attrib['height']}"
    shift = [float(v) for v in next(g for g in root.iter(f"{SVG}g")).attrib["transform"][10:-1].split()]
    boxes = {}
    for name, g in nodes.items():
        x, y, w, h = (float(v) for v in g.attrib["data-box"].split())
        assert x + shift[0] >= 0
        assert y + shift[1] >= 0
        assert x + w + shift[0] <= width
        assert y + h + shift[1] <= height
        boxes[name] = (x, y, x + w, y + h)
    for (a, box), (b, other) in combinations(boxes.items(), 2):
        assert not overlap(box, other), (a, b)
    frames = []
    for g in groups:
        if g.attrib["class"] == "cluster":
            r = g.find(f"{SVG}rect")
            x, y, w, h = (float(r.attrib[k]) for k in ("x", "y", "width", "height"))
            call = int(g.attrib["id"].removeprefix(prefix + "c"))
            frames.append((call, (x, y, x + w, y + h)))
    for call, frame in frames:
        for i in range(trace.nodes):
            c = int(trace.call[i])
            while c >= 0 and c != call:
                c = trace.calls[c].parent
            box = boxes[f"n{i}"]
            assert within(box, frame) if c == call else not overlap(box, frame)
    return [frame for _, frame in frames]


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] - 0.2 and b[0] < a[2] - 0.2 and a[1] < b[3] - 0.2 and b[1] < a[3] - 0.2


def within(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] >= b[0] and a[1] >= b[1] and a[2] <= b[2] and a[3] <= b[3]


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
    rng = np.random.default_rng(seed)
    pool = [ag.tensor([1.0], requires_grad=True)]
    for _ in range(300):
        pool.append(pool[-1] + pool[rng.integers(len(pool))] if rng.random() < 0.5 else pool[-1].neg())
    trace = viz.trace(pool[-1])
    start = time.perf_counter()
    svg = viz.backward_graph(trace).svg()
    assert time.perf_counter() - start < 5
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


def run_script(script: str, **environment: str) -> str:
    root = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": root, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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


# Graphviz: at hand, absent, or broken


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def install(script: str) -> None:
        file = tmp_path / "worker.py"
        file.write_text(script)
        monkeypatch.setattr(layout_dot, "WORKER", [sys.executable, str(file)])
        monkeypatch.setattr(layout_dot, "available", lambda: True)

    return install


BROKEN = {
    "sleeps": "import time; time.sleep(60)",
    "crashes": "import os; os.kill(os.getpid(), 11)",
    "raises": "raise SystemExit('no such thing')",
    "garbage": "print('{]')",
    "other json": 'print(\'{"bb": "0,0,1,1"}\')',
    "nothing": "",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_worker_is_replaced_within_the_deadline(kind: str, worker) -> None:
    worker(BROKEN[kind])
    x = ag.tensor([1.0, 2.0], requires_grad=True)
    trace = viz.trace((x * x).sum())
    start = time.perf_counter()
    figure = viz.backward_graph(trace, engine="dot", timeout=1.0)
    with pytest.warns(viz.LayoutWarning, match="layered layout") as caught:
        svg = figure.svg()
    assert len(caught) == 1
    assert time.perf_counter() - start < 5
    assert svg == viz.backward_graph(trace, engine="layered").svg()
    check_svg(svg, trace)


@pytest.mark.skipif(not layout_dot.available(), reason="pygraphviz is not installed")
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_dot_places_the_same_graph(direction: str) -> None:
    net = Net()
    figure = viz.backward_graph(small_loss(net), model=net, engine="dot", direction=direction, timeout=30)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_svg(figure.svg(), figure.trace)


@pytest.mark.skipif(not layout_dot.available(), reason="pygraphviz is not installed")
def test_png_and_pdf_come_from_graphviz(tmp_path: Path) -> None:
    x = ag.tensor([1.0], requires_grad=True)
    figure = viz.backward_graph((x * x).sum(), timeout=30)
    assert figure.save(tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
    assert figure.save(tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")


def test_without_pygraphviz_svg_works_and_png_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    monkeypatch.setenv("PATH", "")
    x = ag.tensor([1.0], requires_grad=True)
    figure = viz.backward_graph((x * x).sum())
    assert figure.save(tmp_path / "g.svg").read_text(encoding="utf-8") == figure.svg()
    assert figure.save(tmp_path / "g.dot").read_text(encoding="utf-8").startswith("digraph")
    with pytest.raises(MissingDependencyError, match=r"pip install"):
        figure.save(tmp_path / "g.png")
    assert not (tmp_path / "g.png").exists()
    with pytest.raises(MissingDependencyError, match="pygraphviz"):
        viz.backward_graph((x * x).sum(), engine="dot").svg()


def test_importing_the_engine_imports_no_drawing() -> None:
    loaded = "[m for m in ('viz', 'graphviz', 'networkx', 'pygraphviz') if m in sys.modules]"
    assert run_script(f"import sys, autograd_cnn; print({loaded})").strip() == "[]"


# Files, notebooks, errors


def test_a_notebook_gets_svg_and_text() -> None:
    x = ag.tensor([1.0], requires_grad=True)
    figure = viz.backward_graph((x * x).sum())
    bundle = figure._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert bundle["image/svg+xml"] == figure.svg()
    assert "3 nodes" in bundle["text/plain"]
    other = ET.fromstring(viz.backward_graph((x + x).sum()).svg())
    assert other.attrib["id"] != ET.fromstring(figure.svg()).attrib["id"]


def test_json_reads_back_as_it_was(tmp_path: Path) -> None:
    net = Net()
    with viz.record(net) as rec:
        small_loss(net).backward()
    path = viz.backward_graph(rec).save(tmp_path / "trace.json")
    assert json.loads(path.read_text())["version"] == 1
    again = GraphTrace.load(path)
    assert again.to_json() == rec.trace.to_json()
    assert viz.backward_graph(again).svg() == viz.backward_graph(rec).svg()


@pytest.mark.parametrize(
    "text", ["", "{}", "[1]", '{"format": "other", "version": 1}', '{"format": "autograd_cnn.graph"}']
)
def test_foreign_json_is_refused(text: str) -> None:
    with pytest.raises(DataError):
        GraphTrace.from_json(text)


def test_tensors_without_a_graph_are_refused() -> None:
    with pytest.raises(GraphError, match="does not require grad"):
        viz.backward_graph(ag.ones(2))
    with pytest.raises(GraphError, match="is a leaf"):
        viz.backward_graph(ag.ones(2, requires_grad=True))
    with pytest.raises(ArgumentError, match="got int"):
        viz.backward_graph(3)
    with pytest.raises(ArgumentError, match="empty"):
        viz.backward_graph([])


@pytest.mark.parametrize(
    ("option", "value", "listed"),
    [("engine", "neato", "'layered'"), ("direction", "up", "'LR'"), ("theme", "blue", "'dark'")],
)
def test_unknown_options_list_the_valid_ones(option: str, value: str, listed: str) -> None:
    x = ag.tensor([1.0], requires_grad=True)
    with pytest.raises(ArgumentError, match=listed):
        viz.backward_graph(x * x, **{option: value})


def test_places_that_cannot_be_written_to_are_named(tmp_path: Path) -> None:
    x = ag.tensor([1.0], requires_grad=True)
    figure = viz.backward_graph(x * x)
    with pytest.raises(ArgumentError, match="cannot write"):
        figure.save(tmp_path / "missing" / "g.svg")
    with pytest.raises(ArgumentError, match=r"'\.svg'"):
        figure.save(tmp_path / "g.bmp")


def test_a_drawing_keeps_no_tensor_alive() -> None:
    import weakref

    x = ag.tensor([1.0], requires_grad=True)
    y = (x * x).exp()
    kept = weakref.ref(y.grad_fn)
    with viz.record() as rec:
        y.sum().backward()
    figure = viz.backward_graph(rec)
    del x, y
    assert kept() is None
    assert "Exp" in figure.svg()


def test_lenet5_is_drawn_in_half_a_second() -> None:
    from autograd_cnn.models.lenet5 import LeNet5

    net = LeNet5()
    loss = F.cross_entropy(net(ag.ones(2, 1, 28, 28)), ag.tensor(np.array([0, 1])))
    viz.backward_graph(loss, model=net).svg()
    start = time.perf_counter()
    figure = viz.backward_graph(loss, model=net)
    check = figure.svg()
    assert time.perf_counter() - start < 0.5
    check_svg(check, figure.trace)
