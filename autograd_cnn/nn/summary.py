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


@dataclass
class LayerSummary:
    """One row: a module, the shape it gave, its own parameters and operations."""

    path: str
    kind: str
    output: tuple[int, ...] | None
    parameters: int
    trainable: int
    flops: int


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
        table = Table(title=self.name, show_footer=True)
        table.add_column("layer", "total")
        table.add_column("type")
        table.add_column("output shape")
        table.add_column("parameters", f"{self.total_parameters:,}", justify="right")
        table.add_column("FLOPs", f"{self.total_flops:,}", justify="right")
        for layer in self.layers:
            level = layer.path.count(".") + 1 if layer.path else 0
            if not level or (self.depth is not None and level > self.depth):
                continue
            name = "  " * (level - 1) + layer.path.rpartition(".")[2]
            shape = "-" if layer.output is None else str(list(layer.output))
            table.add_row(name, layer.kind, shape, f"{layer.parameters:,}", f"{layer.flops:,}")
        return table

    def __rich__(self) -> Table:
        return self.table()

    def __repr__(self) -> str:
        out = io.StringIO()
        Console(file=out, width=100, color_system=None).print(self.table())
        return out.getvalue().rstrip()


def summarize(model: Module, inputs: tuple[Any, ...], input_size: Any, depth: int | None) -> Summary:
    """Runs the model once, without recording and in its present mode, and collects a row for each module."""
    if not inputs:
        if input_size is None:
            raise ArgumentError("summary: give an input, or input_size=(N, C, H, W)")
        parameter = next(model.parameters(), None)
        inputs = (zeros(input_size, dtype=None if parameter is None else parameter.dtype),)
    shapes: dict[Module, tuple[int, ...]] = {}
    flops: dict[Module, int] = {}

    def note(module: Module, args: tuple[Any, ...], output: Any) -> None:
        if isinstance(output, Tensor):
            shapes[module] = output.shape
            given = tuple(arg.shape for arg in args if isinstance(arg, Tensor))
            flops[module] = flops.get(module, 0) + module.flops(given, output.shape)

    handles = [module.register_forward_hook(note) for module in model.modules()]
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes.items():
            object.__setattr__(module, "training", mode)
    rows = []
    seen: set[Any] = set()
    for path, module in model.named_modules():
        own = [p for p in module.parameters(recurse=False) if p not in seen]
        seen.update(own)
        rows.append(
            LayerSummary(
                path,
                type(module).__name__,
                shapes.get(module),
                sum(p.numel() for p in own),
                sum(p.numel() for p in own if p.requires_grad),
                flops.get(module, 0),
            )
        )
    return Summary(type(model).__name__, rows, depth)
