"""Oracles and small nets for the tests of viz, independent of how viz works."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.graph.node import AccumulateGrad
from autograd_cnn.nn import functional as F
from viz.model import GraphTrace, Kind

SVG = "{http://www.w3.org/2000/svg}"


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


def rms(array: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))


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


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))

    def forward(self, x: ag.Tensor) -> ag.Tensor:
        return self.body(x) + x[:, :2]


def small_loss(net: nn.Module) -> ag.Tensor:
    return F.cross_entropy(net(ag.tensor(np.eye(4, dtype=np.float32))), ag.tensor(np.array([0, 1, 1, 0])))
