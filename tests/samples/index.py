"""Samples: indexing, assignment by index, masks."""

import numpy as np

from autograd_cnn.creation import from_numpy
from autograd_cnn.errors import (
    ArgumentError,
    DTypeError,
    IndexOutOfRangeError,
    InPlaceError,
    ShapeError,
)
from autograd_cnn.ops import index
from samples.sample import ErrorSample, Sample, given, real, truth, whole

ROWS = np.array([0, 2, -1])
COLUMN = np.array([[1], [-2]])
APART = np.array([2, 0])
MASKS = [np.random.default_rng(seed).random((3, 4, 5)[:seed]) < 0.5 for seed in range(4)]
ALL = slice(None)

VIEWS = (
    0,
    -1,
    (0, 1, 2),
    slice(1, 3),
    slice(-2, None),
    slice(5, 1),
    slice(None, None, 2),
    (ALL, ALL, slice(3, 0)),
    (ALL, slice(1, 10, 3)),
    (..., 0),
    (1, ..., slice(-3, -1)),
    (None, 1, None, ALL),
    (),
    ...,
    np.int64(1),
    np.array(1),
)
COPIES = (
    ROWS,
    (ALL, ROWS),
    (..., ROWS),
    (ROWS, ALL, ROWS),
    (ROWS, None, ROWS),
    (ROWS, ROWS, ROWS),
    (ROWS, COLUMN),
    (slice(1, 3), ROWS, COLUMN),
    (COLUMN, ..., ROWS),
    ROWS.astype(np.int32),
    (ROWS, 1),
    [0, 1],
    ([0, 1], [1, 2]),
    (None, ROWS, None),
    np.zeros((0,), np.int64),
    np.zeros((2, 0), np.int64),
    MASKS[1],
    MASKS[2],
    MASKS[3],
    (ALL, ALL, np.array([True, False, True, False, True])),
    (MASKS[2], 2),
    np.zeros((3, 4, 5), bool),
    True,
    False,
    (..., True),
)
# Every place once, so that each value has a gradient.
PLACES = (
    APART,
    (ALL, APART),
    (APART, ALL, APART),
    (APART, COLUMN),
    (slice(1, 3), APART),
    (slice(None, None, 2), [0], None),
    MASKS[2],
    MASKS[3],
    (ALL, ALL, np.array([True, False, True, False, True])),
)


def title(key) -> str:
    """`key` in a few words."""
    if isinstance(key, tuple):
        return f"({', '.join(map(title, key))})"
    if isinstance(key, np.ndarray):
        return f"{key.dtype}{list(key.shape)}" + (f" {key.tolist()}" if key.size < 6 else f" of {key.sum()}")
    return repr(key).replace("None", "")


def of_torch(torch, key):
    if isinstance(key, tuple):
        return tuple(of_torch(torch, part) for part in key)
    return torch.tensor(key) if isinstance(key, np.ndarray | list) else key


def read(key) -> Sample:
    return Sample(
        f"getitem {title(key)}",
        lambda x: x[key],
        (real(3, 4, 5),),
        lambda x: x[key],
        lambda torch, x: x[of_torch(torch, key)],
    )


def assigned(x, key, value):
    y = x * 1
    y[key] = value
    return y


def written(key, *shape: int) -> Sample:
    """x[key] = value, where `shape` is the value's, or else that of x[key]."""
    place = np.zeros((3, 4, 5))[key].shape
    return Sample(
        f"setitem {title(key)} {shape}",
        lambda x, value: assigned(x, key, value) * x,
        (real(3, 4, 5), real(*(shape or place))),
        lambda x, value: assigned(x, key, value) * x,
        lambda torch, x, value: assigned(x, of_torch(torch, key), value) * x,
    )


def numbered(key, value) -> Sample:
    """x[key] = a number, or what is not a tensor."""
    return Sample(
        f"setitem {title(key)} = {value}",
        lambda x: assigned(x, key, value) * x,
        (real(3, 4, 5),),
        lambda x: assigned(x, key, value) * x,
        lambda torch, x: (
            assigned(x, of_torch(torch, key), x.new_tensor(value) if isinstance(value, list) else value) * x
        ),
    )


def with_mask(x, mask):
    y = x * 1
    y[mask] = 7.0
    return y * x


def in_turn(x, value):
    """Repeated places: each value overwrites the one before."""
    y = x * 1
    for row, place in enumerate([1, 0, 1, 1]):
        y[place] = value[row]
    return y * x


def at_once(x, value):
    y = x * 1
    y[[1, 0, 1, 1]] = value
    return y * x


def in_part(x, value):
    """Views of views, changed and assigned to."""
    y = x * 1
    part = y[1:, ::2]
    part[0] = value
    part[:, 1] *= 3
    y[..., 0] += part[0, 0, 1]
    return y * x


def put(x, values, *indices, accumulate):
    y = x * 1
    index.index_put_(y, indices, values, accumulate)
    return y * x


def put_reference(x, values, *indices, accumulate):
    y = x * 1
    if accumulate:
        np.add.at(y, indices, values)
    else:
        y[indices] = values
    return y * x


def put_torch(torch, x, values, *indices, accumulate):
    return (x * 1).index_put_(indices, values, accumulate) * x


def put_slice(x, values):
    return index.index_put_(x * 1, (slice(1, 3), [0, 0]), values, True) * x


def put_slice_reference(x, values):
    y = x * 1
    np.add.at(y, (slice(1, 3), [0, 0]), values)
    return y * x


def filled(x, mask, value=2.5):
    return np.where(mask, value, x)


SAMPLES = (
    *(read(key) for key in (*VIEWS, *COPIES)),
    Sample(
        "getitem int beside arrays",
        lambda x: x[1, :, ROWS],
        (real(3, 4, 5),),
        lambda x: x[1][:, ROWS],
        lambda torch, x: x[1, :, torch.tensor(ROWS)],
    ),
    Sample(
        "getitem by a tensor",
        index.getitem,
        (real(4, 3), whole(2, 5, low=-4, high=4)),
        lambda x, key: x[key],
        lambda torch, x, key: x[key],
        large=(real(50, 90), whole(400, low=-50, high=50)),
    ),
    Sample(
        "getitem by two tensors",
        lambda x, rows, columns: x[rows, columns],
        (real(4, 3), whole(7, low=-4, high=4), whole(7, low=-3, high=3)),
        lambda x, rows, columns: x[rows, columns],
        lambda torch, x, rows, columns: x[rows, columns],
        large=(real(50, 90), whole(40000, low=-50, high=50), whole(40000, low=-90, high=90)),
    ),
    Sample(
        "getitem of integers",
        index.getitem,
        (whole(4, 3), whole(5, low=0, high=4)),
        lambda x, key: x[key],
        lambda torch, x, key: x[key],
    ),
    *(written(key) for key in (*VIEWS[:-1], *PLACES) if np.zeros((3, 4, 5))[key].size),
    *(written(key, 1) for key in (0, (ALL, APART), MASKS[2][:, :])),
    written((ALL, 1), 1, 3, 5),
    written((0, APART), 1, 1, 2, 5),
    *(numbered(key, 7.0) for key in (1, (ALL, APART), MASKS[3], (ALL, 1), True)),
    numbered((0, 0, slice(0, 3)), [1.0, 2.0, 3.0]),
    numbered((0, 0, [0, 2, 4]), [1.0, 2.0, 3.0]),
    Sample(
        "setitem by a mask",
        with_mask,
        (real(3, 4), truth(3, 4)),
        with_mask,
        lambda torch, x, mask: with_mask(x, mask),
    ),
    Sample(
        "setitem repeated",
        at_once,
        (real(3, 2), real(4, 2)),
        in_turn,
        lambda torch, x, value: in_turn(x, value),
    ),
    Sample(
        "setitem in views",
        in_part,
        (real(3, 4, 2), real(2, 2)),
        in_part,
        lambda torch, x, value: in_part(x, value),
    ),
    *(
        Sample(
            f"index_put_ {accumulate}",
            put,
            (real(3, 4), real(2, 4), given([2, 0])),
            put_reference,
            put_torch,
            {"accumulate": accumulate},
        )
        for accumulate in (False, True)
    ),
    Sample(
        "index_put_ repeated",
        put,
        (real(3, 4), real(3), given([2, 2, 0]), given([1, 1, -1])),
        put_reference,
        put_torch,
        {"accumulate": True},
    ),
    Sample(
        "index_put_ in a slice",
        put_slice,
        (real(3, 4), real(2, 2)),
        put_slice_reference,
        None,
        why="PyTorch's index_put_ takes no slices",
    ),
    Sample(
        "index_select",
        index.index_select,
        (real(2, 4, 3),),
        lambda x, dim, index: np.take(x, [0, 3, 3], dim),
        lambda torch, x, dim, index: x.index_select(dim, torch.tensor([0, 3, 3])),
        {"dim": -2, "index": from_numpy(np.array([0, 3, 3]))},
    ),
    Sample(
        "index_select 0-d",
        lambda x, i: index.index_select(x, 0, i),
        (real(), given([0])),
        lambda x, i: x,
        lambda torch, x, i: x.index_select(0, i),
    ),
    *(
        Sample(f"masked_fill {list(mask.shape)}", op, (real(2, 3), mask), filled, torch, {"value": 2.5})
        for mask in (truth(2, 3), truth(3), truth(2, 1), truth(4, 1, 1))
        for op, torch in ((index.masked_fill, "masked_fill"),)
    ),
    Sample(
        "masked_fill value",
        index.masked_fill,
        (real(2, 3), given([True, False, True]), real()),
        filled,
        "masked_fill",
        large=(real(200, 300), truth(300), real()),
    ),
    Sample(
        "masked_fill_",
        lambda x, mask: index.masked_fill_(x * 1, mask, 2.5),
        (real(2, 3), truth(3)),
        filled,
        lambda torch, x, mask: (x * 1).masked_fill_(mask, 2.5),
    ),
    Sample(
        "masked_select",
        index.masked_select,
        (real(2, 3), truth(2, 1)),
        lambda x, mask: x[np.broadcast_to(mask, x.shape)],
        "masked_select",
    ),
)

LEAF = real(3, 4).make(np.random.default_rng(0), np.dtype(np.float32))


def bad(name: str, key, error: type[Exception], match: str) -> ErrorSample:
    return ErrorSample(f"getitem {name}", index.getitem, (real(3, 4), key), error, match)


ERRORS = (
    bad("int", 3, IndexOutOfRangeError, "getitem: index 3 is out of range for dimension 0 of size 3"),
    bad("negative", (0, -5), IndexOutOfRangeError, "index -5 is out of range for dimension 1 of size 4"),
    bad("array", [0, 4], IndexOutOfRangeError, "index 4 is out of range for dimension 0 of size 3"),
    bad("many", (0, 0, 0), IndexOutOfRangeError, r"3 indices for 2 dimensions of shape \[3, 4\]"),
    bad("float", 1.0, DTypeError, "got float"),
    bad("floats", [1.0, 2.0], DTypeError, "must hold integers .* got float64"),
    bad("real tensor", real(3), DTypeError, "must hold integers .* got float32"),
    bad("uint8", np.zeros(3, np.uint8), DTypeError, "got uint8"),
    bad("text", "a", DTypeError, "got str"),
    bad("step", slice(None, None, -1), ArgumentError, "step .* positive, got -1; use flip"),
    bad("slice of floats", slice(0.5, 2), ArgumentError, "slice takes integers"),
    bad("ellipses", (..., ...), ArgumentError, "one Ellipsis, got 2"),
    bad("mask", np.ones((3, 3), bool), ShapeError, r"mask of shape \[3, 3\] .* \[3, 4\]"),
    bad("arrays", ([0, 1], [0, 1, 2]), ShapeError, r"index arrays: shapes \[2\] and \[3\]"),
    ErrorSample("setitem range", index.setitem, (real(3), 3, 1.0), IndexOutOfRangeError, "setitem: index 3"),
    ErrorSample("setitem shape", index.setitem, (real(3, 4), 0, real(3)), ShapeError, "copy_: "),
    ErrorSample("setitem array shape", index.setitem, (real(3, 4), [0, 1], real(3)), ShapeError, "setitem: shapes"),
    ErrorSample("setitem text", index.setitem, (real(3), 0, "a"), DTypeError, "got str"),
    ErrorSample(
        "setitem float into int", index.setitem, (whole(3), [0], real(1)), DTypeError, "float32, input has int64"
    ),
    ErrorSample("setitem too large", index.setitem, (given([1, 2]), 0, 2**64), ArgumentError, "does not fit int64"),
    ErrorSample(
        "setitem leaf",
        lambda: index.setitem(from_numpy(LEAF).requires_grad_(), [0], 1.0),
        (),
        InPlaceError,
        "leaf tensor that requires grad",
    ),
    ErrorSample(
        "index_select range",
        index.index_select,
        (real(3), 0, given([-1])),
        IndexOutOfRangeError,
        "index_select: index -1 is out of range for dimension 0 of size 3",
    ),
    ErrorSample(
        "index_select dtype", index.index_select, (real(3), 0, real(1)), DTypeError, "index must hold integers"
    ),
    ErrorSample("index_select shape", index.index_select, (real(3), 0, given([[0]])), ShapeError, r"\[1, 1\]"),
    ErrorSample("masked_fill mask", index.masked_fill, (real(3), whole(3), 1.0), DTypeError, "mask must .* got int64"),
    ErrorSample(
        "masked_fill value", index.masked_fill, (real(3), truth(3), real(3)), ShapeError, "value must be a number"
    ),
    ErrorSample(
        "masked_fill float", index.masked_fill, (whole(3), truth(3), 0.5), DTypeError, "0.5 cannot be put .* int64"
    ),
    ErrorSample("masked_fill shapes", index.masked_fill, (real(3), truth(4), 0), ShapeError, "masked_fill: sh"),
    ErrorSample("masked_select", index.masked_select, (real(3), [True]), DTypeError, "got list"),
)
