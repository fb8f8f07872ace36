"""The table that Module.summary returns: every layer's output shape, parameters and FLOPs."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from autograd_cnn.creation import zeros
from autograd_cnn.errors import ArgumentError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.nn.module import Module
from autograd_cnn.tensor import Tensor

Shape = tuple[int, ...]


@dataclass
class LayerSummary:
    """One row: a module, the shape it gave, its own parameters and operations (of all its calls)."""

    path: str
    kind: str
    output: Shape | None
    parameters: int
    trainable: int
    flops: int
    calls: int

    @property
    def level(self) -> int:
        """0 for the model itself."""
        return self.path.count(".") + 1 if self.path else 0


class Summary:
    """What a model is made of; print it, or read `layers` and the totals."""

    def __init__(self, name: str, layers: list[LayerSummary], depth: int | None) -> None:
        self.name = name
        self.layers = layers
        self.depth = depth

    @property
    def total_parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)

    @property
    def trainable_parameters(self) -> int:
        return sum(layer.trainable for layer in self.layers)

    @property
    def total_flops(self) -> int:
        return sum(layer.flops for layer in self.layers)

    def table(self) -> Table:
        """The table, as rich prints it."""
        frozen = self.total_parameters - self.trainable_parameters
        caption = f"{frozen:,} of the parameters are frozen. " if frozen else ""
        table = Table(
            title=self.name,
            caption=caption + "FLOPs: of the modules, in evaluation; one multiply-add is two.",
            show_footer=True,
        )
        table.add_column("layer", "total", overflow="fold")
        table.add_column("type", overflow="fold")
        table.add_column("output shape", overflow="fold")
        table.add_column("parameters", f"{self.total_parameters:,}", justify="right", no_wrap=True)
        table.add_column("FLOPs", f"{self.total_flops:,}", justify="right", no_wrap=True)
        for layer, within in self._rows():
            name = "  " * (layer.level - 1) + (layer.path.rpartition(".")[2] or "(itself)")
            kind = layer.kind if layer.calls < 2 else f"{layer.kind}, called {layer.calls} times"
            shape = "" if layer.output is None else str(list(layer.output))
            numbers = (sum(row.parameters for row in within), sum(row.flops for row in within))
            shown = ["" if len(self._below(layer)) and not n else f"{n:,}" for n in numbers]
            table.add_row(name, kind, shape, *shown)
        return table

    def _below(self, layer: LayerSummary) -> list[LayerSummary]:
        prefix = f"{layer.path}." if layer.path else ""
        return [row for row in self.layers if row is not layer and row.path.startswith(prefix)]

    def _rows(self) -> list[tuple[LayerSummary, list[LayerSummary]]]:
        """The rows to show, each with those whose numbers it bears: at the deepest level all below it, too."""
        rows = []
        for layer in self.layers:
            own = not layer.level and (not self._below(layer) or layer.parameters or layer.flops)
            if own or (layer.level and (self.depth is None or layer.level <= self.depth)):
                deepest = self.depth is not None and layer.level == self.depth
                rows.append((layer, [layer, *self._below(layer)] if deepest else [layer]))
        return rows

    def __rich__(self) -> Table:
        return self.table()

    def __repr__(self) -> str:
        out = io.StringIO()
        Console(file=out, width=100, color_system=None).print(self.table())
        return "\n".join(line.rstrip() for line in out.getvalue().rstrip().split("\n"))


class Tally:
    """A forward hook that notes what each module gave and how much work that was."""

    def __init__(self) -> None:
        self.shapes: dict[Module, Shape] = {}
        self.flops: dict[Module, int] = {}
        self.calls: dict[Module, int] = {}

    def __call__(self, module: Module, args: tuple[Any, ...], output: Any) -> None:
        results = output if isinstance(output, tuple) else (output,)
        shape = next((result.shape for result in results if isinstance(result, Tensor)), None)
        self.calls[module] = self.calls.get(module, 0) + 1
        if shape is not None:
            given = tuple(arg.shape for arg in args if isinstance(arg, Tensor))
            self.shapes[module] = shape
            self.flops[module] = self.flops.get(module, 0) + module.flops(given, shape)


def summarize(model: Module, inputs: tuple[Any, ...], input_size: Any, depth: int | None) -> Summary:
    """Runs the model once, in evaluation mode and without recording, and collects a row for each module."""
    if depth is not None and depth < 1:
        raise ArgumentError(f"summary: depth must be at least 1, got {depth}")
    if not inputs:
        inputs = _zeros(model, input_size)
    tally = Tally()
    modes = [(module, module.training) for module in model.modules()]
    handles = [module.register_forward_hook(tally) for module, _ in modes]
    try:
        model.eval()
        with no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes:
            module.training = mode
    rows = []
    seen: set[Any] = set()
    for path, module in model.named_modules():
        own = [p for p in module.parameters(recurse=False) if p not in seen]
        seen.update(own)
        rows.append(
            LayerSummary(
                path,
                type(module).__name__,
                tally.shapes.get(module),
                sum(p.numel() for p in own),
                sum(p.numel() for p in own if p.requires_grad),
                tally.flops.get(module, 0),
                tally.calls.get(module, 0),
            )
        )
    return Summary(type(model).__name__, rows, depth)


def _zeros(model: Module, input_size: Any) -> tuple[Tensor, ...]:
    """Zeros of one size or of several, in the dtype of the model's parameters."""
    if input_size is None:
        raise ArgumentError("summary: give an input, or input_size=(N, C, H, W)")
    if not isinstance(input_size, tuple | list):
        raise ArgumentError(f"summary: input_size must be a tuple of integers or a list of those, got {input_size!r}")
    sizes = [input_size] if all(isinstance(n, int) for n in input_size) else input_size
    parameter = next(model.parameters(), None)
    return tuple(zeros(*size, dtype=None if parameter is None else parameter.dtype) for size in sizes)
