"""Runs computations that are large enough for threads, on each number of them that its arguments name.

A program of its own, since a process cannot have more threads than it began with: `NUMBA_NUM_THREADS` may be more than
there are processors.  Prints, as JSON, a hash of each computation's bits for each number of threads, and the names of
the parallel kernels that none of them ran.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from math import prod
from typing import Any

import numba
import numpy as np
import test_contraction
import test_conv_depthwise
import test_conv_kernels
import test_conv_weight
import test_norm_kernels
import test_pool_kernels
from optim_cases import OPTIMIZERS
from running import gradients, run, tensors
from samples import SAMPLES
from samples.sample import FLOATS, Sample

import autograd_cnn as ag
from autograd_cnn.kernels.cpu import pointwise, threading_layer
from autograd_cnn.nn import functional as F
from benchmarks.networks import NETWORKS
from benchmarks.step import data, eager, initial

Computation = Callable[[], Sequence[np.ndarray]]
Square = test_conv_weight.square


def of_sample(sample: Sample) -> list[np.ndarray]:
    """Everything that a sample computes, forward and backward."""
    inputs = tensors(sample, sample.arrays(FLOATS[0], large=True), sample.derivatives() > 0)
    return with_gradients(run(sample, inputs), inputs if sample.derivatives() > 0 else [])


def of_function(function: Callable[..., Any], shapes: Sequence[tuple[int, ...]], dtype: str = "float32") -> Any:
    """What a function makes of random inputs of these shapes, and its gradients for them."""
    rng = np.random.default_rng(0)
    inputs = [ag.tensor(rng.uniform(0.1, 2.0, shape).astype(dtype), requires_grad=True) for shape in shapes]
    ag.manual_seed(0)
    return with_gradients([function(*inputs)], inputs)


def with_gradients(outputs: list[Any], inputs: list[Any]) -> list[np.ndarray]:
    found = [g.numpy() for g in gradients(outputs, inputs) if g is not None] if inputs else []
    return [y.detach().numpy() for y in outputs] + found


def of_convolution(case: test_conv_kernels.Case) -> Sequence[np.ndarray]:
    return test_conv_kernels.run(case, *test_conv_kernels.arrays(case, np.float32))


def of_weight_gradient(case: test_conv_weight.Case) -> Sequence[np.ndarray]:
    return [test_conv_weight.gradient(case, *case.arrays(np.float32))]


def of_optimizer(kind: Any, settings: dict[str, Any]) -> Sequence[np.ndarray]:
    ag.manual_seed(0)
    params = [ag.randn(*shape).requires_grad_() for shape in ((64, 3, 3, 3), (64,), (400, 120), (512, 512), (7,))]
    optimizer = kind(params, **settings)
    for _ in range(3):
        for p in params:
            p.grad = ag.randn(*p.shape)
        optimizer.step()
    slots = [slot for state in optimizer.state.values() for slot in state.values() if isinstance(slot, ag.Tensor)]
    return [tensor.detach().numpy() for tensor in (*params, *slots)]


def of_training(name: str, batch: int) -> Sequence[np.ndarray]:
    """The loss of three steps: of the third, which the updates of two have gone into."""
    network = NETWORKS[name]
    step = eager(ag, network, initial(ag, network), *data(network, batch))
    return [step().detach().numpy().copy() for _ in range(3)]


def convolutions() -> Iterator[tuple[str, Computation]]:
    three_by_three = [Square((16, c, size), (o, 3), padding=1) for size in (32, 8) for c, o in CHANNELS]
    shown = [test_conv_kernels.Case(case.x, case.w, *case.settings) for case in three_by_three]
    for case in (*shown, *test_conv_kernels.CASES, *LARGE_DEPTHWISE, *test_conv_depthwise.CASES):
        yield f"{case}", partial(of_convolution, case)
    for weight_case in test_conv_weight.CASES:
        yield f"weight gradient {weight_case}", partial(of_weight_gradient, weight_case)
    for x, w, stride, groups in TRANSPOSED:
        function = partial(F.conv_transpose2d, stride=stride, groups=groups, padding=1)
        yield f"conv_transpose2d {x} {w}", partial(of_function, function, (x, w, (w[1] * groups,)))
    for function, x, w in (
        (F.conv1d, (8, 16, 500), (24, 16, 5)),
        (F.conv3d, (2, 8, 8, 16, 16), (16, 8, 3, 3, 3)),
        (F.conv1d_relu, (8, 16, 500), (24, 16, 5)),
        (F.conv2d_relu, (16, 6, 28, 28), (16, 6, 5, 5)),
    ):
        yield f"{function.__name__} {x} {w}", partial(of_function, function, (x, w, w[:1]))


CHANNELS = [(16, 16), (32, 32), (64, 64), (16, 32), (48, 20)]
LARGE_DEPTHWISE = [
    test_conv_depthwise.depthwise((8, 32, size, size), (3, 3), stride, 1)
    for size in (56, 28, 14, 7)
    for stride in (1, 2)
]
TRANSPOSED = [
    ((8, 32, 14, 14), (32, 16, 4, 4), 2, 1),
    ((8, 16, 28, 28), (16, 12, 3, 3), 1, 1),
    ((8, 16, 28, 28), (16, 6, 3, 3), 2, 2),
    ((8, 32, 28, 28), (32, 1, 3, 3), 1, 32),
]


def products() -> Iterator[tuple[str, Computation]]:
    large = [shape for shape in test_contraction.SHAPES if prod(shape) > 2**15]
    for m, k, n in (*large, (300, 700, 500), (2048, 256, 64), (64, 4096, 256)):
        for dtype in ("float32", "float64"):
            yield f"matmul {m} {k} {n} {dtype}", partial(of_function, ag.matmul, ((m, k), (k, n)), dtype)
    batches = ((64, 40, 60), (64, 60, 50)), ((64, 40, 60), (60, 50)), ((40, 60), (64, 60, 50)), ((2000, 300), (300,))
    for x, other in batches:
        yield f"matmul {x} {other}", partial(of_function, ag.matmul, (x, other))
    for function in (F.linear, F.linear_relu):
        for n, k, o in ((64, 400, 120), (128, 784, 256), (2000, 30, 10), (1, 4096, 512)):
            yield f"{function.__name__} {n} {k} {o}", partial(of_function, function, ((n, k), (o, k), (o,)))


def lines() -> Iterator[tuple[str, Computation]]:
    """What goes over lines, columns and windows."""
    for shape in (*test_norm_kernels.SHAPES, (32, 64, 28 * 28), (512, 256)):
        if shape[0] * prod(shape[2:]) > 1:
            channels = shape[1:2]
            training = partial(F.batch_norm, running_mean=None, running_var=None, training=True)
            function = lambda x, weight, bias, f=training: f(x, weight=weight, bias=bias)  # noqa: E731
            yield f"batch_norm {shape}", partial(of_function, function, (shape, channels, channels))
            statistics = [np.linspace(0.5, 2, *channels, dtype=np.float32)] * 2
            function = lambda x, weight, bias, s=statistics: F.batch_norm(  # noqa: E731
                x, *map(ag.from_numpy, s), weight, bias
            )
            yield f"batch_norm in evaluation {shape}", partial(of_function, function, (shape, channels, channels))
    for rows, size in (*test_norm_kernels.LAYERS[:5], (2048, 256), (300, 768)):
        function = lambda x, weight, bias, size=size: F.layer_norm(x, (size,), weight, bias)  # noqa: E731
        yield f"layer_norm {rows} {size}", partial(of_function, function, ((rows, size), (size,), (size,)))
    for rows, classes in ((2048, 10), (512, 1000), (3, 40_000)):
        labels = ag.from_numpy(np.arange(rows) * 7 % classes)
        function = lambda x, labels=labels: F.cross_entropy(x, labels, label_smoothing=0.1)  # noqa: E731
        yield f"cross_entropy {rows} {classes}", partial(of_function, function, ((rows, classes),))
        for name in ("softmax", "log_softmax"):
            for dim in (0, 1):
                function = partial(getattr(F, name), dim=dim)
                yield f"{name} {rows} {classes} {dim}", partial(of_function, function, ((rows, classes),))
    pictures = [(8, 16, 64, 66), (32, 64, 14, 14)]
    for shape in pictures:
        for _, kernel, stride, padding, dilation, ceil in test_pool_kernels.CASES:
            window = {"kernel_size": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil}
            function = partial(F.max_pool2d, dilation=dilation, **window)
            yield f"max_pool2d {shape} {window} {dilation}", partial(of_function, function, (shape,))
            if dilation == (1, 1):
                function = partial(F.avg_pool2d, **window)
                yield f"avg_pool2d {shape} {window}", partial(of_function, function, (shape,))
    for shape in ((500, 700), (100_000, 3), (3, 100_000), (400_000,), (40, 50, 60)):
        for name in ("sum", "mean", "var", "logsumexp", "amax", "prod"):
            for dim in range(len(shape)):
                function = partial(getattr(ag, name), dim=dim)
                yield f"{name} {shape} {dim}", partial(of_function, function, (shape,))
        yield f"sum {shape}", partial(of_function, ag.sum, (shape,))
    for entries in (1000, 40_000):
        index = ag.from_numpy(np.random.default_rng(0).integers(0, 3000, entries))
        yield f"embedding {entries}", partial(of_function, partial(F.embedding, index), ((3000, 33),))
    for p in (0.3, 0.5):
        yield f"dropout {p}", partial(of_function, partial(F.dropout, p=p), ((300, 700),))
        yield f"dropout2d {p}", partial(of_function, partial(F.dropout2d, p=p), ((30, 50, 14, 14),))
    yield "randn", lambda: (ag.manual_seed(0), [ag.randn(300_001).numpy(), ag.rand(300_001).numpy()])[1]


def pointwise_formulas() -> Iterator[tuple[str, Computation]]:
    """Those that no large sample has."""
    shape = (300, 700)
    yield "gelu tanh", partial(of_function, partial(F.gelu, approximate="tanh"), (shape,))
    for exponent in (3, -1.5):
        yield f"pow {exponent}", partial(of_function, lambda x, y=exponent: x**y, (shape,))
    yield "pow of doubles", partial(of_function, ag.pow, (shape, shape), "float64")
    whole = ag.arange(1, 200_001), ag.arange(200_000) % 7 + 1
    for name in ("pow", "floor_divide", "remainder"):
        yield f"{name} of integers", lambda name=name: [getattr(ag, name)(*whole).numpy()]


def second_derivatives() -> Iterator[tuple[str, Computation]]:
    """Max pooling reads and writes at places that the first derivative has found."""

    def of_pooling() -> list[np.ndarray]:
        x = ag.from_numpy(np.random.default_rng(0).standard_normal((8, 16, 64, 66), np.float32)).requires_grad_()
        y, indices = F.max_pool2d(x, 3, 2, return_indices=True)
        (g,) = ag.autograd.grad((y**3).sum(), x, create_graph=True)
        return [indices.numpy(), *with_gradients([g], [x])]

    yield "max_pool2d twice", of_pooling


def computations() -> Iterator[tuple[str, Computation]]:
    for name, sample in SAMPLES.items():
        if sample.large:
            yield name, partial(of_sample, sample)
    yield from products()
    yield from convolutions()
    yield from lines()
    yield from pointwise_formulas()
    yield from second_derivatives()
    for i, (kind, settings) in enumerate(OPTIMIZERS):
        yield f"{kind.__name__} {i}", partial(of_optimizer, kind, settings)
    for network, batch in (("LeNet-5", 64), ("ResNet", 16), ("MobileNet", 8), ("VGG-like", 4)):
        yield f"training of {network}", partial(of_training, network, batch)


def bits(compute: Computation) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for array in compute():
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


LOOPS = [
    name
    for name, function in vars(pointwise).items()
    if inspect.isfunction(function) and [*inspect.signature(function).parameters][-1:] == ["out"]
]
SUFFIX = re.compile(rf"(_({'|'.join(sorted(LOOPS, key=len, reverse=True))}))?(_[0-9a-f]{{12}})?_parallel$")


def main() -> None:
    found: dict[str, list[str]] = {}
    for name, compute in computations():
        found[name] = []
        for threads in map(int, sys.argv[1:]):
            numba.set_num_threads(threads)
            found[name].append(bits(compute))
    # Of a formula that is bound to several of the pointwise loops one has to have run.
    kernels = {kernel: SUFFIX.sub("", kernel.__name__) for kernel in threading_layer._PARALLEL}
    ran = {name for kernel, name in kernels.items() if kernel.overloads}
    print(json.dumps({"bits": found, "idle": sorted({*kernels.values()} - ran)}))


if __name__ == "__main__":
    main()
