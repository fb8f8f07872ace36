"""viz: the picture has every node, every edge and the right numbers of the recorded graph."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from viz_oracles import SVG, Net, check_svg, edges_of, edges_of_trace, random_graph, rms, small_loss

import autograd_cnn as ag
import viz
from autograd_cnn import nn
from autograd_cnn.errors import GraphError
from viz.model import GraphTrace, Kind


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
