"""Recurrent layers: training steps, forward and backward through time for all parameters, next to PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.case import Case, Run, Sides
from benchmarks.peers import Peers

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


@dataclass(frozen=True)
class Layers:
    """Layers of one size, and the batch that they see."""

    kind: str
    layers: int
    size: int
    batch: int
    steps: int
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        options = "".join(f", {name}={value}" for name, value in self.options.items())
        return f"{self.kind} {self.layers} x {self.size}{options}, batch {self.batch}, {self.steps} steps"

    def build(self, t: Any) -> Any:
        return getattr(t.nn, self.kind)(self.size, self.size, self.layers, **self.options)

    def operations(self) -> float:
        """Of the products: two forward, and for each of those two backward, but one less for the first layer."""
        product = 2 * self.steps * self.batch * GATES[self.kind] * self.size**2
        return (6 * self.layers - 1) * product


ISSUE = [
    Layers(kind, *sizes)
    for kind in GATES
    for sizes in ((2, 128, 64, 32), (2, 128, 1, 32), (1, 512, 64, 100), (1, 512, 1, 100))
]
OPTIONS = [
    Layers("GRU", 2, 96, 32, 40, {"bidirectional": True, "batch_first": True}),
    Layers("LSTM", 1, 128, 32, 40, {"proj_size": 64}),
]


def numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def initial(ours: Any, build: Callable[[Any], Any]) -> dict[str, np.ndarray]:
    """The weights that every side starts from."""
    ours.manual_seed(0)
    return {name: value.numpy().copy() for name, value in build(ours).state_dict().items()}


def training(t: Any, build: Callable[[Any], Any], weights: dict[str, np.ndarray], run: Any, x: np.ndarray) -> Run:
    """The gradients for all parameters, for an output's gradient of no pattern."""
    model = build(t)
    model.load_state_dict({name: t.tensor(array) for name, array in weights.items()})
    parameters, inputs = list(model.parameters()), t.tensor(x)
    g = t.tensor(numbers(*run(t, model, inputs).shape))
    return lambda: t.autograd.grad(run(t, model, inputs), parameters, g)


def output(t: Any, model: Any, x: Any) -> Any:
    return model(x)[0]


def output_packed(t: Any, model: Any, x: Any) -> Any:
    lengths = np.linspace(x.shape[0], x.shape[0] // 4, x.shape[1]).astype(int).tolist()
    return model(t.nn.utils.rnn.pack_padded_sequence(x, lengths))[0].data


def output_of_cell(t: Any, model: Any, x: Any) -> Any:
    """Step by step, as one who needs each state writes it."""
    state = None
    for part in x.unbind(0):
        state = model(part, state)
    return state[0]


def case(
    name: str, build: Callable[[Any], Any], run: Any, shape: tuple[int, ...], group: str, operations: float = 0
) -> Case:
    def prepare(peers: Peers) -> Sides:
        weights = initial(peers.ours, build)
        return peers.both(lambda t: training(t, build, weights, run, numbers(*shape)))

    return Case("recurrent", name, prepare, operations=operations, group=group, seconds=1.5)


def cases() -> Iterator[Case]:
    for layers in (*ISSUE, *OPTIONS):
        first, second = layers.steps, layers.batch
        if layers.options.get("batch_first"):
            first, second = second, first
        operations = 0 if layers.options else layers.operations()
        group = "options" if layers.options else layers.kind
        yield case(layers.name, layers.build, output, (first, second, layers.size), group, operations)
    packed = Layers("LSTM", 2, 128, 64, 32)
    yield case(f"{packed.name}, packed", packed.build, output_packed, (32, 64, 128), "options")
    yield case(
        "LSTMCell 128, batch 32, 20 steps", lambda t: t.nn.LSTMCell(128, 128), output_of_cell, (20, 32, 128), "options"
    )
