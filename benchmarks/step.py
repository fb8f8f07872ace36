"""Whole training steps: zero gradients, forward, loss, backward, Adam; next to PyTorch, torch.compile and JAX."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from benchmarks.case import Case, Sides
from benchmarks.networks import BATCHES, NETWORKS, Network
from benchmarks.peers import Peers

Arrays = dict[str, np.ndarray]
# Adam's first steps go by the signs of gradients, and those of nearly none are up to rounding.
TOLERANCE = 1e-2


def data(network: Network, batch: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((batch, *network.image), np.float32), rng.integers(0, 10, batch)


def initial(ours: Any, network: Network) -> Arrays:
    """The weights that every side starts from."""
    ours.manual_seed(0)
    return {name: value.numpy().copy() for name, value in network.build(ours.nn).state_dict().items()}


def eager(
    t: Any, network: Network, weights: Arrays, x: np.ndarray, target: np.ndarray, **adam: Any
) -> Callable[[], Any]:
    """The step as one writes it, in our namespace or in PyTorch's; `adam` are further settings."""
    model = network.build(t.nn)
    model.load_state_dict({name: t.tensor(array) for name, array in weights.items()})
    optimizer = t.optim.Adam(model.parameters(), **adam)
    criterion, inputs, labels = t.nn.CrossEntropyLoss(), t.tensor(x), t.tensor(target)

    def step() -> Any:
        optimizer.zero_grad()
        loss = criterion(model(inputs), labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def compiled(torch: Any, network: Network, weights: Arrays, x: np.ndarray, target: np.ndarray) -> Callable[[], Any]:
    """torch.compile of forward, loss and, as ahead-of-time autograd does, backward; Adam is PyTorch's fused one."""
    torch._dynamo.reset()
    model = network.build(torch.nn)
    model.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    inputs, labels = torch.tensor(x), torch.tensor(target)
    criterion = torch.nn.CrossEntropyLoss()
    loss_of = torch.compile(lambda x, target: criterion(model(x), target), dynamic=False)

    def step() -> Any:
        optimizer.zero_grad()
        loss = loss_of(inputs, labels)
        loss.backward()
        optimizer.step()
        return loss

    return step


def jitted(network: Network, weights: Arrays, x: np.ndarray, target: np.ndarray) -> Callable[[], Any]:
    """The whole step as one program of JAX, which updates its state in place."""
    from benchmarks import jax_nn

    step = jax_nn.compiled(network.build(jax_nn))
    state, inputs, labels = jax_nn.start(weights), jax_nn.images(x), jax_nn.jnp.array(target, "int32")

    def run() -> Any:
        nonlocal state
        state, loss = step(state, inputs, labels)
        return loss.block_until_ready()  # the results of one program are ready together

    return run


def prepare(network: Network, batch: int, peers: Peers) -> Sides:
    x, target = data(network, batch)
    weights = initial(peers.ours, network)
    sides = {"ours": eager(peers.ours, network, weights, x, target)}
    if "torch" in peers:  # its fused Adam is the faster one
        sides["torch"] = eager(peers.torch, network, weights, x, target, fused=True)
    if "torch.compile" in peers:
        sides["torch.compile"] = compiled(peers.torch, network, weights, x, target)
    if "jax" in peers:
        sides["jax"] = jitted(network, weights, x, target)
    return sides


def cases() -> Iterator[Case]:
    for name, network in NETWORKS.items():
        for batch in BATCHES:
            make = partial(prepare, network, batch)
            yield Case(
                "step", f"{name}, batch {batch}", make, seconds=4, checked_runs=3, tolerance=TOLERANCE, group=name
            )
