"""Figure: a picture that can be shown, saved, and turned into DOT; and `backward_graph`, which makes one."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from autograd_cnn.errors import ArgumentError
from viz import dot as dot_text
from viz.capture import trace
from viz.layout import Placement, Sketch
from viz.layout_dot import placed_by_dot, render
from viz.layout_layered import layered
from viz.model import GraphTrace, check_option
from viz.recorder import Recorder
from viz.scene import Scene, scene
from viz.svg import largest, summary, write_svg
from viz.view import GraphView, view

ENGINES = ("auto", "dot", "layered")
DIRECTIONS = ("TB", "LR")
THEMES = ("auto", "light", "dark")
FORMATS = (".svg", ".dot", ".gv", ".json", ".png", ".pdf")


class Figure:
    """A picture of a trace; `trace` holds its data.  Shows itself in notebooks."""

    def __init__(
        self,
        trace: GraphTrace,
        *,
        title: str,
        direction: str,
        engine: str,
        timeout: float,
        max_visible: int,
        depth: int | None,
        show_shapes: bool,
        theme: str,
    ) -> None:
        self.trace = trace
        self._title = title
        self._direction = direction
        self._engine = engine
        self._timeout = timeout
        self._max_visible = max_visible
        self._depth = depth
        self._show_shapes = show_shapes
        self._theme = theme

    @cached_property
    def _view(self) -> GraphView:
        return view(self.trace, self._max_visible, self._depth)

    @cached_property
    def _scene(self) -> Scene:
        return scene(self._view, self._layout, self._direction, self._show_shapes)

    def _layout(self, sketch: Sketch) -> Placement:
        return placed_by_dot(sketch, self._timeout) if self._engine == "dot" else layered(sketch)

    @cached_property
    def _svg(self) -> str:
        seen, total = self.trace.nodes - self._view.hidden, self.trace.nodes
        lines = [summary(self.trace)]
        if self._view.hidden:
            lines[0] += f" · drawn {seen:,} + folded {self._view.hidden:,} = {total:,}"
        where = "top" if self._direction == "TB" else "left"
        lines.append(
            f"Read from the loss ({where}): arrows carry gradients to the leaves; values flowed the other way."
        )
        return write_svg(self._scene, self._title, lines, self._theme)

    def svg(self) -> str:
        """The picture as an SVG document: self-contained, the same bytes for the same trace and options."""
        return self._svg

    def dot(self) -> str:
        """The graph as DOT source, with ids, tooltips and module clusters."""
        return dot_text.source(self._view, self._title, self._direction)

    def png(self) -> bytes:
        """The graph as PNG, drawn by Graphviz; needs pygraphviz."""
        return render(self.dot(), "png", self._timeout)

    def pdf(self) -> bytes:
        """The graph as PDF, drawn by Graphviz; needs pygraphviz."""
        return render(self.dot(), "pdf", self._timeout)

    def save(self, path: str | Path) -> Path:
        """Writes the picture in the format that the name ends in: .svg, .dot, .gv, .json, .png or .pdf.

        Raises ArgumentError for another ending or a place that cannot be written to; MissingDependencyError for .png
        and .pdf without pygraphviz.
        """
        target = Path(path)
        suffix = target.suffix.lower()
        writers: dict[str, Callable[[], str | bytes]] = {
            ".svg": self.svg,
            ".dot": self.dot,
            ".gv": self.dot,
            ".json": self.trace.to_json,
            ".png": self.png,
            ".pdf": self.pdf,
        }
        check_option("save", "the ending of path", suffix, FORMATS)
        made = writers[suffix]()
        try:
            target.write_bytes(made.encode() if isinstance(made, str) else made)
        except OSError as error:
            raise ArgumentError(f"save: cannot write {str(target)!r}: {error.strerror or error}") from error
        return target

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"<{self._title}: {summary(self.trace)}; {largest(self.trace)}>"


def as_trace(x: Any, model: Any = None) -> GraphTrace:
    """A trace as it is, a recorder's, or the one of a tensor's graph."""
    if isinstance(x, GraphTrace):
        return x
    if isinstance(x, Recorder):
        return x.trace
    return trace(x, model=model)


def backward_graph(
    x: Any,
    *,
    model: Any = None,
    title: str | None = None,
    direction: str = "TB",
    engine: str = "auto",
    timeout: float = 10.0,
    max_visible: int = 1500,
    depth: int | None = None,
    show_shapes: bool = True,
    theme: str = "auto",
) -> Figure:
    """The recorded graph as backward runs it: from the loss along every edge to parameters, inputs and constants.

    `x` is a tensor (or several), a `GraphTrace`, or a recorder from `viz.record`, whose picture has the gradients of
    every op and edge.  `model` names the parameters.  Modules are frames; beyond `max_visible` nodes, or below `depth`
    levels of modules, they are folded, and the picture says how much.  `engine` places the boxes: "layered" needs
    nothing, and is what "auto" takes, because dot leaves an unrolled loop of modules tangled, puts edges through the
    frames' captions and would make the picture depend on what is installed; "dot" is Graphviz all the same, in a
    process of its own for at most `timeout` seconds, with a warning and the layered layout where it fails.

    Reading runs from top to bottom ("TB": boxes are wider than high and graphs longer than wide), or "LR".

    >>> import autograd_cnn as ag
    >>> x = ag.tensor([0.5, -1.0], requires_grad=True)
    >>> backward_graph((x * x).tanh().sum())
    <Backward graph: 4 nodes (3 ops, 1 input), 4 edges; no gradients recorded>
    """
    check_option("backward_graph", "direction", direction, DIRECTIONS)
    check_option("backward_graph", "engine", engine, ENGINES)
    check_option("backward_graph", "theme", theme, THEMES)
    if max_visible < 4:
        raise ArgumentError(f"backward_graph: max_visible must be at least 4, got {max_visible}")
    if depth is not None and depth < 0:
        raise ArgumentError(f"backward_graph: depth must not be negative, got {depth}")
    if not timeout > 0:
        raise ArgumentError(f"backward_graph: timeout must be positive, got {timeout}")
    graph = as_trace(x, model)
    if title is None:
        outermost = dict.fromkeys(call.module for call in graph.calls if call.parent < 0)
        title = "Backward graph" + (f" of {', '.join(outermost)}" if outermost else "")
    return Figure(
        graph,
        title=title,
        direction=direction,
        engine=engine,
        timeout=timeout,
        max_visible=max_visible,
        depth=depth,
        show_shapes=show_shapes,
        theme=theme,
    )
