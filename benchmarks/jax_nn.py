"""As much of PyTorch's `nn` in JAX as the benchmarks' networks need, and a training step of it that is one program.

Images are (N, H, W, C) and kernels (H, W, C / groups, O), which XLA's CPU code is fastest for.  Parameters and buffers
are a dictionary from PyTorch's names to arrays; `loss` puts them into the modules while it is traced.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

Arrays = dict[str, Any]


class Module:
    """Its attributes are arrays (`arrays` names them), other modules, or settings."""

    arrays: tuple[str, ...] = ()

    def __call__(self, x: Any) -> Any:
        return self.forward(x)

    def children(self) -> Iterator[tuple[str, Module]]:
        return ((name, child) for name, child in vars(self).items() if isinstance(child, Module))

    def places(self, prefix: str = "") -> Iterator[tuple[str, Module, str]]:
        """The full name of each array, the module that has it, and its name there."""
        yield from ((prefix + name, self, name) for name in self.arrays)
        for name, child in self.children():
            yield from child.places(f"{prefix}{name}.")

    def put(self, values: Arrays) -> None:
        for full, module, name in self.places():
            if full in values:
                setattr(module, name, values[full])

    def get(self, names: Any) -> Arrays:
        return {full: getattr(module, name) for full, module, name in self.places() if full in names}


class Sequential(Module):
    def __init__(self, *modules: Module) -> None:
        self.modules = modules

    def children(self) -> Iterator[tuple[str, Module]]:
        return ((str(i), module) for i, module in enumerate(self.modules))

    def forward(self, x: Any) -> Any:
        for module in self.modules:
            x = module(x)
        return x


class Linear(Module):
    arrays = ("weight", "bias")

    def __init__(self, inputs: int, outputs: int) -> None:
        self.weight = self.bias = None

    def forward(self, x: Any) -> Any:
        return x @ self.weight.T + self.bias


class Conv2d(Module):
    """XLA's convolution, or what is faster: a product for 1 x 1, a sum of shifted images for depthwise."""

    def __init__(
        self, channels: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0, groups: int = 1,
        bias: bool = True,
    ) -> None:  # fmt: skip
        self.arrays = ("weight", "bias") if bias else ("weight",)
        self.stride, self.padding, self.groups = stride, padding, groups
        self.depthwise = groups == channels == outputs
        self.weight = self.bias = None

    def forward(self, x: Any) -> Any:
        y = self.convolve(x)
        return y if self.bias is None else y + self.bias

    def convolve(self, x: Any) -> Any:
        kernel, step, margin = self.weight.shape[0], self.stride, (self.padding, self.padding)
        if self.depthwise:
            x = jnp.pad(x, ((0, 0), margin, margin, (0, 0)))
            rows, columns = (size - kernel + 1 for size in x.shape[1:3])
            taps = ((i, j) for i in range(kernel) for j in range(kernel))
            return sum(x[:, i : i + rows : step, j : j + columns : step] * self.weight[i, j, 0] for i, j in taps)
        if kernel == self.groups == 1 and not self.padding:
            return x[:, ::step, ::step] @ self.weight[0, 0]
        settings = {"dimension_numbers": ("NHWC", "HWIO", "NHWC"), "feature_group_count": self.groups}
        return lax.conv_general_dilated(x, self.weight, (step, step), (margin, margin), **settings)


class BatchNorm2d(Module):
    arrays = ("weight", "bias", "running_mean", "running_var")

    def __init__(self, channels: int) -> None:
        self.weight = self.bias = self.running_mean = self.running_var = None

    def forward(self, x: Any) -> Any:
        mean = x.mean((0, 1, 2))
        var = (x * x).mean((0, 1, 2)) - mean * mean
        count = x.size // x.shape[-1]
        self.running_mean = 0.9 * self.running_mean + 0.1 * mean
        self.running_var = 0.9 * self.running_var + 0.1 * var * (count / (count - 1))
        scale = self.weight * lax.rsqrt(var + 1e-5)
        return x * scale + (self.bias - mean * scale)


class ReLU(Module):
    def forward(self, x: Any) -> Any:
        return jax.nn.relu(x)


class MaxPool2d(Module):
    """Windows side by side, as the largest of axes of their own: its gradient is far faster than `reduce_window`'s."""

    def __init__(self, size: int) -> None:
        self.size = size

    def forward(self, x: Any) -> Any:
        n, height, width, channels = x.shape
        rows, columns = height // self.size, width // self.size
        x = x[:, : rows * self.size, : columns * self.size]
        return x.reshape(n, rows, self.size, columns, self.size, channels).max((2, 4))


class AdaptiveAvgPool2d(Module):
    def __init__(self, size: int) -> None:
        assert size == 1

    def forward(self, x: Any) -> Any:
        return x.mean((1, 2), keepdims=True)


class Flatten(Module):
    """In PyTorch's order, which the weights of the layer behind it are in."""

    def forward(self, x: Any) -> Any:
        return x.transpose(0, 3, 1, 2).reshape(x.shape[0], -1)


BUFFERS = ("running_mean", "running_var")
LEARNING_RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8


def start(weights: dict[str, np.ndarray]) -> dict[str, Any]:
    """What a training changes: parameters, buffers, Adam's means and its count of steps."""
    arrays = {}
    for name, array in weights.items():
        if not name.endswith("num_batches_tracked"):
            arrays[name] = jnp.array(array.transpose(2, 3, 1, 0) if array.ndim == 4 else array)
    params = {name: array for name, array in arrays.items() if not name.endswith(BUFFERS)}
    buffers = {name: array for name, array in arrays.items() if name.endswith(BUFFERS)}
    means, squares = ({name: jnp.zeros_like(array) for name, array in params.items()} for _ in range(2))
    return {"params": params, "buffers": buffers, "means": means, "squares": squares, "step": jnp.zeros(())}


def images(x: np.ndarray) -> Any:
    return jnp.array(x.transpose(0, 2, 3, 1))


def loss(model: Module, params: Arrays, buffers: Arrays, x: Any, target: Any) -> tuple[Any, Arrays]:
    """The mean cross entropy, and the buffers afterwards."""
    model.put(params | buffers)
    logits = model(x)
    picked = jnp.take_along_axis(logits, target[:, None], 1)[:, 0]
    return (jax.nn.logsumexp(logits, 1) - picked).mean(), model.get(buffers)


def compiled(model: Module) -> Any:
    """state, x, target -> the next state and the loss; the old state's memory is used again."""

    @partial(jax.jit, donate_argnums=0)
    def step(state: dict[str, Any], x: Any, target: Any) -> Any:
        gradient = jax.value_and_grad(partial(loss, model), has_aux=True)
        (value, buffers), grads = gradient(state["params"], state["buffers"], x, target)
        count = state["step"] + 1
        corrected = LEARNING_RATE / (1 - BETA1**count)
        scale = 1 / jnp.sqrt(1 - BETA2**count)
        tree = jax.tree.map
        means = tree(lambda m, g: BETA1 * m + (1 - BETA1) * g, state["means"], grads)
        squares = tree(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, state["squares"], grads)
        params = tree(
            lambda p, m, v: p - corrected * m / (jnp.sqrt(v) * scale + EPSILON), state["params"], means, squares
        )
        return {"params": params, "buffers": buffers, "means": means, "squares": squares, "step": count}, value

    return step
