"""Layout by Graphviz's dot, in a child process that is killed at the deadline; the layered layout takes over then.

The child is needed: pygraphviz holds the interpreter's lock while it works, and dot can hang or crash on small graphs.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

from autograd_cnn.errors import ArgumentError, MissingDependencyError
from viz.layout import Frame, Placement, Point, Sketch
from viz.layout_layered import layered

# -P: the worker's own folder is not searched for modules.
WORKER = [sys.executable, "-P", str(Path(__file__).with_name("_gvworker.py"))]
INSTALL = 'pip install "autograd_cnn[examples]" (or pip install pygraphviz)'


class LayoutWarning(RuntimeWarning):
    """Graphviz did not place the boxes; the layered layout did."""


class WorkerError(Exception):
    """Why the worker gave no result."""


def available() -> bool:
    """Whether pygraphviz is installed; it is not imported here."""
    try:
        return importlib.util.find_spec("pygraphviz") is not None
    except (ImportError, ValueError):
        return False


def _require(what: str) -> None:
    if not available():
        raise MissingDependencyError(f"{what}: needs pygraphviz, which is not installed: {INSTALL}")


def render(source: str, form: str, timeout: float) -> bytes:
    """DOT source drawn by Graphviz; MissingDependencyError without pygraphviz, ArgumentError where it fails."""
    _require(f"save as .{form}")
    try:
        return _ask(source, form, timeout)
    except WorkerError as error:
        raise ArgumentError(f"save as .{form}: Graphviz {error}; save as .svg, or raise timeout={timeout:g}") from error


def placed_by_dot(sketch: Sketch, timeout: float) -> Placement:
    """The placement that dot gives, or with one warning the layered one."""
    _require('engine="dot"')
    try:
        answer = _ask(_dot(sketch), "json", timeout)
        return _placement(sketch, answer)
    except WorkerError as error:
        warnings.warn(f"viz: Graphviz {error}; the layered layout is used instead", LayoutWarning, stacklevel=2)
        return layered(sketch)


def _ask(source: str, form: str, timeout: float) -> bytes:
    try:
        done = subprocess.run([*WORKER, form], input=source.encode(), capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired as error:
        raise WorkerError(f"gave no result within {timeout:g} s") from error
    except OSError as error:
        raise WorkerError(f"could not be started ({error})") from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise WorkerError(f"failed (exit status {done.returncode}{': ' + said[-1] if said else ''})")
    return done.stdout


def _dot(sketch: Sketch) -> str:
    """Boxes of fixed size with a port where the edges meet them, so that no font is asked for."""
    lines = [
        "digraph{",
        "graph[rankdir=TB ranksep=0.5 nodesep=0.3];",
        'node[shape=plain label=""];edge[arrowhead=none];',
    ]
    inside: list[list[int]] = [[] for _ in range(len(sketch.parents) + 1)]
    for i, c in enumerate(sketch.cluster):
        inside[c].append(i)
    children: list[list[int]] = [[] for _ in range(len(sketch.parents) + 1)]
    for c, parent in enumerate(sketch.parents):
        children[parent].append(c)
    stack: list[int | str] = [-1]
    while stack:
        top = stack.pop()
        if isinstance(top, str):
            lines.append(top)
            continue
        c = top
        if c >= 0:
            lines.append(f"subgraph cluster{c}{{{_label(sketch, c)}")
        lines += [_box(sketch, i) for i in inside[c]]
        stack.append("}" if c >= 0 else "")
        stack += reversed(children[c])
    lines += [f"b{t}:p:s->b{h}:p:n[id=e{e}];" for e, (t, h) in enumerate(sketch.edges)]
    lines.append("}")
    return "\n".join(lines)


def _label(sketch: Sketch, c: int) -> str:
    if sketch.label_beside:
        return f"margin={sketch.padding + sketch.label_height:.0f};"
    size = f'WIDTH="{sketch.label_width[c]:.0f}" HEIGHT="{sketch.label_height - 8:.0f}"'
    return f'margin={sketch.padding:.0f};labeljust=l;label=<<TABLE BORDER="0"><TR><TD {size}></TD></TR></TABLE>>;'


def _box(sketch: Sketch, i: int) -> str:
    """A table of one row whose middle cell is the port."""
    w, h, port = sketch.width[i], round(sketch.height[i]), sketch.port[i]
    reach = min(w / 2 + port, w / 2 - port)
    before, after = round(w / 2 + port - reach), round(w / 2 - port - reach)
    cells = "".join(
        f'<TD{name} FIXEDSIZE="TRUE" WIDTH="{n}" HEIGHT="{h}"></TD>'
        for name, n in (("", before), (' PORT="p"', round(w) - before - after), ("", after))
        if n > 0
    )
    table = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>{cells}</TR></TABLE>'
    return f"b{i}[id=b{i} label=<{table}>];"


def _placement(sketch: Sketch, answer: bytes) -> Placement:
    try:
        found = json.loads(answer)
        _, _, width, height = (float(v) for v in found["bb"].split(","))
        result = Placement(
            [0.0] * len(sketch.width),
            [0.0] * len(sketch.width),
            [Frame(0, 0, 0, 0)] * len(sketch.parents),
            [[] for _ in sketch.edges],
            width,
            height,
        )
        for item in found.get("objects", []):
            name = item["name"]
            if name.startswith("cluster"):
                left, bottom, right, top = (float(v) for v in item["bb"].split(","))
                result.frames[int(name[7:])] = Frame(left, height - top, right, height - bottom)
            elif name.startswith("b"):
                x, y = (float(v) for v in item["pos"].split(","))
                result.x[int(name[1:])], result.y[int(name[1:])] = x, height - y
        placed = {int(item["name"][1:]) for item in found.get("objects", []) if item["name"].startswith("b")}
        for item in found.get("edges", []):
            result.routes[int(item["id"][1:])] = _spline(item, height)
        if placed != set(range(len(sketch.width))) or not all(result.routes):
            raise WorkerError("left out some boxes or edges")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise WorkerError(f"gave an answer that cannot be read ({type(error).__name__})") from error
    return result


def _spline(item: dict[str, Any], height: float) -> list[Point]:
    points: list[Point] = []
    for word in item["pos"].split():
        if word[0] in "se":
            continue
        x, y = word.split(",")
        points.append((float(x), height - float(y)))
    if len(points) % 3 != 1:
        raise ValueError("not a spline")
    return points
