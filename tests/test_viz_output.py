"""viz: Graphviz at hand, absent or broken; files, notebooks and errors."""

from __future__ import annotations

import json
import sys
import warnings
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from viz_oracles import Net, check_svg, run_script, small_loss

import autograd_cnn as ag
import viz
from autograd_cnn.errors import ArgumentError, DataError, GraphError, MissingDependencyError
from viz import layout_dot
from viz.model import GraphTrace


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def install(script: str) -> None:
        file = tmp_path / "worker.py"
        file.write_text(script)
        monkeypatch.setattr(layout_dot, "WORKER", [sys.executable, str(file)])
        monkeypatch.setattr(layout_dot, "available", lambda: True)

    return install


BROKEN = {
    "sleeps": "import time; time.sleep(1e6)",
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
    figure = viz.backward_graph(trace, engine="dot", timeout=1.0)
    with pytest.warns(viz.LayoutWarning, match="layered layout") as caught:
        svg = figure.svg()
    assert len(caught) == 1
    assert ("gave no result within 1 s" in str(caught[0].message)) == (kind == "sleeps")
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
