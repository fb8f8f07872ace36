"""Layers joined by `nn.fuse`, next to the same layers apart and to PyTorch: training steps, and inference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from benchmarks.case import Case, Sides
from benchmarks.networks import NETWORKS, Network
from benchmarks.peers import Peers
from benchmarks.step import TOLERANCE, data, eager, initial

Build = Callable[[Any], Any]


def joined(build: Build) -> Build:
    return lambda nn: nn.fuse(build(nn))


def training(network: Network, batch: int, peers: Peers) -> Sides:
    x, target = data(network, batch)
    weights = initial(peers.ours, network)
    fused = Network(joined(network.build), network.image)
    sides = {
        "ours": eager(peers.ours, fused, weights, x, target),
        "ours apart": eager(peers.ours, network, weights, x, target),
    }
    if "torch" in peers:
        sides["torch"] = eager(peers.torch, network, weights, x, target, fused=True)
    return sides


def inference(network: Network, batch: int, peers: Peers) -> Sides:
    x, _ = data(network, batch)
    weights = initial(peers.ours, network)

    def side(t: Any, change: Callable[[Any], Any] = lambda model: model) -> Callable[[], Any]:
        model = network.build(t.nn)
        model.load_state_dict({name: t.tensor(array) for name, array in weights.items()})
        model, inputs = change(model.eval()), t.tensor(x)

        def run() -> Any:
            with t.no_grad():
                return model(inputs)

        return run

    sides = {"ours": side(peers.ours, peers.ours.nn.fuse), "ours apart": side(peers.ours)}
    if "torch" in peers:
        sides["torch"] = side(peers.torch)
    return sides


def cases() -> Iterator[Case]:
    for name, batch in (("LeNet-5", 64), ("two-conv CNN", 64)):
        make = partial(training, NETWORKS[name], batch)
        checks = {"checked_runs": 3, "tolerance": TOLERANCE}
        yield Case("fused", f"training, {name}, batch {batch}", make, seconds=3, group="training", **checks)
    for name in ("LeNet-5", "VGG-like", "ResNet"):
        make = partial(inference, NETWORKS[name], 32)
        yield Case("fused", f"inference, {name}, batch 32", make, seconds=3, group="inference")
