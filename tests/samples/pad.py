"""Samples: padding."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.ops import pad
from samples.sample import ErrorSample, Sample, real, truth, whole

MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def by_numpy(x, pad, mode="constant", value=None):
    ends = [(0, 0)] * (x.ndim - len(pad) // 2) + list(zip(pad[::2], pad[1::2], strict=True))[::-1]
    if mode == "circular":  # of what is left
        x = x[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(x.shape, ends, strict=True))]
        ends = [(max(a, 0), max(b, 0)) for a, b in ends]
    more = [(max(before, 0), max(after, 0)) for before, after in ends]
    options = {"constant_values": 0 if value is None else value} if mode == "constant" else {}
    y = np.pad(x, more, MODES[mode], **options)
    return y[tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(y.shape, ends, strict=True))]


def padded(source, *amounts: int, **kwargs) -> Sample:
    return Sample(
        f"pad {list(source.shape)} {amounts} {kwargs}",
        pad.pad,
        (source,),
        by_numpy,
        "nn.functional.pad",
        {"pad": amounts, **kwargs},
    )


SAMPLES = (
    padded(real(3), 1, 2),
    padded(real(2, 3), 1, 2, 0, 3, value=1.5),
    padded(real(2, 3), 0, 1),
    padded(real(4, 5), -1, 2, 1, -2),
    padded(real(4, 5), -2, -1),
    padded(real(2, 1, 3), 0, 0, 0, 0, 2, 1),
    padded(real(0, 3), 1, 1, 2, 0),
    padded(real(2, 3)),
    padded(whole(3), 1, 1, value=7),
    padded(truth(3), 1, 1, value=True),
    *(padded(real(2, 3, 4), 1, 3, mode=mode) for mode in ("reflect", "replicate", "circular")),
    *(padded(real(2, 3, 4, 5), 2, 1, 0, 2, mode=mode) for mode in ("reflect", "replicate", "circular")),
    padded(real(2, 3, 4, 5), -1, 2, 1, 0, mode="reflect"),
    padded(real(2, 3, 4, 5), -2, 7, 4, -1, mode="replicate"),
    padded(real(2, 3, 4, 5), -2, 3, 2, -1, mode="circular"),
    padded(real(2, 3, 4, 5), 1, 2, 0, 0, 2, 1, mode="replicate"),
    padded(real(3, 4, 5), 0, 0, 2, 1, mode="reflect"),
    padded(whole(1, 3, 4), 2, 1, mode="circular"),
    Sample(
        "pad large, reflect",
        pad.pad,
        (real(2, 3, 4),),
        by_numpy,
        "nn.functional.pad",
        {"pad": (2, 1), "mode": "reflect"},
        large=(real(8, 40, 200),),
    ),
    padded(real(1, 2, 3, 3, 2), 1, 1, 2, 0, 0, 2, mode="replicate"),
    padded(real(2, 3, 4), 0, 0, mode="reflect"),
    padded(real(2, 3, 4), 4, 4, mode="circular"),
)

ERRORS = (
    ErrorSample("odd", pad.pad, (real(3), (1,)), ArgumentError, r"two entries .* got \[1\]"),
    ErrorSample("many", pad.pad, (real(3), (1, 1, 1, 1)), ArgumentError, "up to 1 dimensions"),
    ErrorSample("less than nothing", pad.pad, (real(3), (-2, -2)), ShapeError, r"\(-2, -2\) .* shape \[3\]"),
    ErrorSample("mode", pad.pad, (real(3), (1, 1), "mirror"), ArgumentError, "mode must be one of .* 'mirror'"),
    ErrorSample("reflect", pad.pad, (real(3), (3, 0), "reflect"), ArgumentError, r"\(3, 0\) .* of size 3"),
    ErrorSample("circular", pad.pad, (real(3), (4, 0), "circular"), ArgumentError, r"\(4, 0\) .* of size 3"),
    ErrorSample("replicate", pad.pad, (real(0), (1, 0), "replicate"), ArgumentError, "dimension 0 has size 0"),
    ErrorSample("value", pad.pad, (real(3), (1, 0), "reflect", 1.0), ArgumentError, "takes no value, got 1.0"),
    ErrorSample("value dtype", pad.pad, (whole(3), (1, 0), "constant", 0.5), DTypeError, "0.5 .* int64"),
    ErrorSample("value text", pad.pad, (real(3), (1, 0), "constant", "a"), DTypeError, "got str"),
    ErrorSample("floats", pad.pad, (real(3), (1.0, 0.0)), DTypeError, "pad takes ints"),
    ErrorSample("list", pad.pad, ([1.0], (1, 0)), DTypeError, "takes a tensor, got list"),
)
