"""Samples: copies in which elements repeat."""

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError
from autograd_cnn.ops import repeat
from samples.sample import ErrorSample, Sample, given, real, whole


def method(name: str, source, *arguments, reference) -> Sample:
    """A function of a tensor and arguments that PyTorch has as a method of the same name."""
    return Sample(
        f"{name} {list(source.shape)} {arguments}",
        lambda x: getattr(repeat, name)(x, *arguments),
        (source,),
        reference,
        lambda torch, x: getattr(x, name)(*arguments),
    )


def interleaved(source, repeats, **kwargs) -> Sample:
    """`repeats` is a number, or a recipe for a tensor of them."""
    many = () if isinstance(repeats, int) else (repeats,)
    shown = repeats if isinstance(repeats, int) else repeats.draw(None, None).tolist()
    return Sample(
        f"repeat_interleave {list(source.shape)} {shown} {kwargs}",
        lambda x, times=repeats, **kwargs: repeat.repeat_interleave(x, times, **kwargs),
        (source, *many),
        lambda x, times=repeats, dim=None, output_size=None: np.repeat(x, times, dim),
        lambda torch, x, times=repeats, **kwargs: x.repeat_interleave(times, **kwargs),
        kwargs,
    )


SAMPLES = (
    method("repeat", real(2, 3), 2, 1, reference=lambda x: np.tile(x, (2, 1))),
    method("repeat", real(3), (4, 2), reference=lambda x: np.tile(x, (4, 2))),
    method("repeat", real(2, 3), 1, 1, reference=np.array),
    method("repeat", real(2, 3), 0, 2, reference=lambda x: np.tile(x, (0, 2))),
    method("repeat", real(), 3, reference=lambda x: np.tile(x, 3)),
    method("tile", real(2, 3), 2, reference=lambda x: np.tile(x, 2)),
    method("tile", real(2), 2, 2, reference=lambda x: np.tile(x, (2, 2))),
    interleaved(real(2, 3), 2),
    interleaved(real(2, 3), 2, dim=0),
    interleaved(real(2, 3), 3, dim=-1, output_size=9),
    interleaved(real(2, 3), 0, dim=1),
    interleaved(real(), 3),
    interleaved(real(0, 3), 2, dim=1),
    interleaved(whole(3, 2), 2, dim=1),
    interleaved(real(2, 3), given([2, 0, 3]), dim=1),
    interleaved(real(2, 3), given([1, 2]), dim=-2, output_size=3),
    interleaved(real(2, 3), given([2]), dim=1),
    interleaved(real(2, 3), given(2), dim=1),
    interleaved(real(2, 2), given([1, 0, 2, 1])),
    Sample(
        "repeat_interleave of repeats",
        repeat.repeat_interleave,
        (given([2, 0, 1]),),
        lambda repeats: np.repeat(np.arange(3), repeats),
        "repeat_interleave",
    ),
)

ERRORS = (
    ErrorSample("repeat", repeat.repeat, (real(2, 3), 2), ShapeError, r"repeats \[2\]"),
    ErrorSample(
        "interleave -1", repeat.repeat_interleave, (real(2), -1), ArgumentError, "must not be negative, got -1"
    ),
    ErrorSample("interleave few", repeat.repeat_interleave, (real(3), given([1, 2])), ShapeError, "2 numbers for 3"),
    ErrorSample("interleave minus", repeat.repeat_interleave, (real(2), given([1, -2])), ArgumentError, "got -2"),
    ErrorSample("interleave dims", repeat.repeat_interleave, (real(1), given([[1]])), ShapeError, r"\[1, 1\]"),
    ErrorSample(
        "interleave floats", repeat.repeat_interleave, (real(2), real(2)), DTypeError, "repeats must hold integers"
    ),
    ErrorSample("interleave dim", repeat.repeat_interleave, (real(2), 2, 1), IndexOutOfRangeError, "dim 1 is out"),
    ErrorSample(
        "interleave size", repeat.repeat_interleave, (real(2), 2), ArgumentError, "is 3, .* to 4", {"output_size": 3}
    ),
)
