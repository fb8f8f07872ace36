"""Samples: recurrent layers over whole sequences, fused and step by step."""

from typing import Any

import numpy as np

from autograd_cnn.errors import DTypeError, ShapeError
from autograd_cnn.ops import recurrent_layer
from samples.sample import ErrorSample, Input, Sample, real, whole

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
PACKED = (4, 3, 3, 1)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def step(kind: str, nonlinearity: str, from_x: np.ndarray, from_h: np.ndarray, h: np.ndarray, c: np.ndarray) -> Any:
    """The states after one step, from the two parts of the gates' sums."""
    if kind == "rnn":
        return np.tanh(from_x + from_h) if nonlinearity == "tanh" else np.maximum(from_x + from_h, 0), c
    if kind == "gru":
        (r, z, n), (r_h, z_h, n_h) = np.split(from_x, 3), np.split(from_h, 3)
        z = sigmoid(z + z_h)
        return (1 - z) * np.tanh(n + sigmoid(r + r_h) * n_h) + z * h, c
    i, f, g, o = np.split(from_x + from_h, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def reference(kind: str) -> Any:
    """One sequence at a time, one step at a time."""

    def run(x, *others, bias=True, nonlinearity="tanh", reverse=False, sizes=None, projected=False, unroll=False):
        states, (w_ih, w_hh, *more) = others[: 1 + (kind == "lstm")], others[1 + (kind == "lstm") :]
        b_ih, b_hh = more[:2] if bias else (0.0, 0.0)
        sizes = sizes or [x.shape[1]] * x.shape[0]
        rows = x.reshape(-1, x.shape[-1])
        h_n, c_n = states[0].copy(), states[-1].copy()
        y = np.zeros((len(rows), h_n.shape[1]))
        starts = np.cumsum(sizes) - sizes
        for n in range(len(h_n)):
            steps = [t for t in range(len(sizes)) if n < sizes[t]]
            for t in reversed(steps) if reverse else steps:
                row = starts[t] + n
                h, c_n[n] = step(kind, nonlinearity, w_ih @ rows[row] + b_ih, w_hh @ h_n[n] + b_hh, h_n[n], c_n[n])
                y[row] = h_n[n] = more[-1] @ h if projected else h
        y = y.reshape(*x.shape[:-1], y.shape[1])
        return [y, h_n, c_n] if kind == "lstm" else [y, h_n]

    return run


def ours(kind: str) -> Any:
    def run(x, *others, bias=True, projected=False, **options):
        states, parameters = others[: 1 + (kind == "lstm")], others[1 + (kind == "lstm") :]
        if projected:
            *parameters, options["weight_hr"] = parameters
        return getattr(recurrent_layer, f"{kind}_layer")(x, *states, parameters, **options)

    return run


def theirs(kind: str) -> Any:
    """A bidirectional layer with the same parameters both ways, of which one half is taken."""

    def run(torch, x, *others, bias=True, nonlinearity="tanh", reverse=False, sizes=None, projected=False, **options):
        states, parameters = others[: 1 + (kind == "lstm")], others[1 + (kind == "lstm") :]
        states = [torch.stack([state, state]) for state in states]
        function = getattr(torch, f"rnn_{nonlinearity}" if kind == "rnn" else kind)
        hx = states if kind == "lstm" else states[0]
        settings = (list(parameters) * 2, bias, 1, 0.0, False, True)
        if sizes is None:
            y, *last = function(x, hx, *settings, False)
        else:
            y, *last = function(x, torch.tensor(sizes), hx, *settings)
        half = y.shape[-1] // 2
        return [y[..., half:] if reverse else y[..., :half], *(state[int(reverse)] for state in last)]

    return run


def inputs(kind: str, steps: int, samples: int, features: int, units: int, **options: Any) -> tuple[Input, ...]:
    """x, the first states and the parameters, so small that no gate is saturated."""
    wide, sizes, projection = GATES[kind] * units, options.get("sizes"), 2 if options.get("projected") else 0
    samples = sizes[0] if sizes else samples
    shapes = [(sum(sizes), features) if sizes else (steps, samples, features), (samples, projection or units)]
    shapes += [(samples, units)] * (kind == "lstm")
    shapes += [(wide, features), (wide, projection or units)]
    shapes += [(wide,), (wide,)] * options.get("bias", True) + [(projection, units)] * bool(projection)
    return tuple(real(*shape, low=-0.8, high=0.8) for shape in shapes)


def layer(kind: str, *sizes: int, large: tuple[Input, ...] = (), **options: Any) -> Sample:
    name = f"{kind} {list(sizes)} {options}{' large' if large else ''}"
    return Sample(
        name, ours(kind), inputs(kind, *sizes, **options), reference(kind), theirs(kind), options, large=large
    )


def each(kind: str) -> tuple[Sample, ...]:
    wide = {"rnn": 450, "gru": 260, "lstm": 230}[kind]  # their weights are too many for a core's cache
    return (
        layer(kind, 3, 2, 3, 4, large=inputs(kind, 20, 26, 30, 70)),
        layer(kind, 2, 1, 2, 3, bias=False, large=inputs(kind, 3, 53, 8, wide, bias=False)),
        layer(kind, 3, 2, 2, 3, reverse=True),
        layer(kind, 1, 2, 3, 4),
        layer(kind, 3, 1, 1, 1),
        layer(kind, 2, 0, 3, 2),
        layer(kind, 0, 0, 2, 3, sizes=PACKED),
        layer(kind, 0, 0, 2, 3, sizes=PACKED, reverse=True),
        layer(kind, 2, 2, 2, 3, unroll=True),
        layer(kind, 0, 0, 2, 2, sizes=PACKED, unroll=True),
        layer(kind, 0, 0, 2, 2, sizes=PACKED, reverse=True, unroll=True),
    )


SAMPLES = (
    *(sample for kind in GATES for sample in each(kind)),
    layer("rnn", 3, 2, 3, 4, nonlinearity="relu"),
    layer("rnn", 2, 2, 2, 3, nonlinearity="relu", unroll=True),
    layer("lstm", 3, 2, 3, 4, projected=True, large=inputs("lstm", 20, 26, 30, 70, projected=True)),
    layer("lstm", 1, 2, 3, 4, projected=True, bias=False),
    layer("lstm", 2, 2, 2, 3, projected=True, unroll=True),
    layer("lstm", 0, 0, 2, 3, projected=True, sizes=PACKED),
    layer("lstm", 0, 0, 2, 3, projected=True, sizes=PACKED, reverse=True),
)


def misfit(kind: str, name: str, place: int, *shape: int, **options: Any) -> ErrorSample:
    layer = kind.removeprefix("projected_")
    given = list(inputs(layer, 3, 2, 3, 4, **options))
    given[place] = real(*shape)
    pattern = rf"{kind}: {name} has shape \[{', '.join(map(str, shape))}\], but .* need"
    return ErrorSample(f"{kind} {name}", ours(layer), tuple(given), ShapeError, pattern, options)


ERRORS = (
    misfit("rnn", "h_0", 1, 3, 4),
    misfit("rnn", "weight_ih", 2, 4, 5),
    misfit("gru", "weight_hh", 3, 10, 4),
    misfit("lstm", "c_0", 2, 2, 5),
    misfit("lstm", "bias_hh", 6, 4),
    misfit("projected_lstm", "weight_hh", 4, 16, 4, projected=True),
    ErrorSample(
        "x flat",
        ours("gru"),
        (real(6, 3), *inputs("gru", 3, 2, 3, 4)[1:]),
        ShapeError,
        r"gru: input must be \(T, N, input_size\), got shape \[6, 3\]",
    ),
    ErrorSample("no step", ours("rnn"), inputs("rnn", 0, 2, 3, 4), ShapeError, r"rnn: input \[0, 2, 3\] has 0 rows"),
    ErrorSample(
        "rows", ours("rnn"), inputs("rnn", 0, 0, 3, 4, sizes=(2, 1)), ShapeError, "has 3 rows", {"sizes": (2, 2)}
    ),
    ErrorSample(
        "ints", ours("rnn"), (*inputs("rnn", 3, 2, 3, 4)[:-1], whole(4)), DTypeError, "bias_hh must be a floating"
    ),
)
