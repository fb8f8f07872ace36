"""In-place methods of functions: values and gradients next to PyTorch's, on tensors and on views; what is refused."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import InPlaceError, ShapeError


def words(text: str) -> list[str]:
    return text.split()


START = np.array([[0.2, 0.5, 0.9], [0.35, 0.75, 0.6]])
OTHER = np.array([[0.7, 0.1, 0.4], [0.3, 0.8, 0.45]])
TENSOR = object()  # stands for OTHER as a tensor
ONE = object()  # and for OTHER + 1

ALONE = words("""
    absolute_ asin_ arcsin_ acos_ arccos_ atan_ arctan_ ceil_ cos_ cosh_ deg2rad_ erf_ erfc_ exp2_ expm1_ fix_ frac_
    log10_ log1p_ log2_ logit_ negative_ rad2deg_ reciprocal_ rsqrt_ sgn_ sign_ sin_ sinh_ square_ tan_ logical_not_
""")
WITH: dict[str, tuple[Any, ...]] = {
    "addcdiv_": (TENSOR, ONE),
    "addcmul_": (TENSOR, ONE),
    "arctan2_": (TENSOR,),
    "atan2_": (TENSOR,),
    "clamp_": (TENSOR, ONE),
    "clip_": (0.3, 0.7),
    "clamp_max_": (TENSOR,),
    "clamp_min_": (0.4,),
    "cumprod_": (1,),
    "cumsum_": (0,),
    "divide_": (TENSOR,),
    "eq_": (0.5,),
    "fmod_": (0.3,),
    "ge_": (TENSOR,),
    "greater_": (TENSOR,),
    "greater_equal_": (0.5,),
    "gt_": (0.5,),
    "hypot_": (TENSOR,),
    "le_": (0.5,),
    "lerp_": (TENSOR, 0.3),
    "less_": (0.5,),
    "less_equal_": (TENSOR,),
    "logit_": (0.3,),
    "lt_": (0.5,),
    "multiply_": (TENSOR,),
    "ne_": (0.5,),
    "not_equal_": (0.5,),
    "remainder_": (0.3,),
    "round_": (),
    "subtract_": (TENSOR,),
    "true_divide_": (TENSOR,),
    "xlogy_": (TENSOR,),
}
CASES = [*((name, ()) for name in ALONE), *WITH.items()]


def changed(lib: ModuleType, method: str, arguments: tuple[Any, ...], view: bool) -> tuple[np.ndarray, np.ndarray]:
    x = lib.tensor(START).requires_grad_()
    given = {
        id(TENSOR): lib.tensor(OTHER[1:] if view else OTHER),
        id(ONE): lib.tensor((OTHER[1:] if view else OTHER) + 1),
    }
    y = x * 1.0
    target = y[1:] if view else y
    assert getattr(target, method)(*(given.get(id(a), a) for a in arguments)) is target
    total = (y * y + x).sum()
    return y.detach().numpy(), lib.autograd.grad(total, x)[0].numpy()


@pytest.mark.parametrize("view", [False, True])
@pytest.mark.parametrize(("method", "arguments"), CASES, ids=[name for name, _ in CASES])
def test_values_and_gradients(method: str, arguments: tuple[Any, ...], view: bool, torch: ModuleType) -> None:
    ours, theirs = (changed(lib, method, arguments, view) for lib in (ag, torch))
    for found, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-10)


@pytest.mark.parametrize("method", ["asinh_", "acosh_", "atanh_"])
def test_those_that_pytorch_has_no_derivative_of(method: str) -> None:
    x = ag.tensor(START + (method == "acosh_")).requires_grad_()
    y = (x * 1.0).__getattribute__(method)()
    expected = getattr(x, method[:-1])()
    np.testing.assert_array_equal(y.detach().numpy(), expected.detach().numpy())
    ours, theirs = (ag.autograd.grad(z.sum(), x)[0].numpy() for z in (y, expected))
    np.testing.assert_array_equal(ours, theirs)


def test_logic_keeps_the_dtype() -> None:
    x = ag.tensor([0.0, 2.0])
    assert x.logical_and_(ag.tensor([1.0, 1.0])).tolist() == [0.0, 1.0]
    assert x.dtype == ag.float32
    assert ag.tensor([1, 0]).logical_xor_(ag.tensor([1, 1])).tolist() == [0, 1]
    assert ag.tensor([True, False]).logical_or_(ag.tensor([False, False])).tolist() == [True, False]


def test_whole_numbers() -> None:
    x = ag.tensor([7, -7])
    assert x.fmod_(4).tolist() == [3, -3]
    assert x.floor_divide_(2).tolist() == [1, -2]
    assert x.cumsum_(0).tolist() == [1, -1]
    assert ag.tensor([3, 9], dtype=ag.int32).clamp_(ag.tensor([4, 4], dtype=ag.int32)).tolist() == [4, 9]


REFUSED = (
    ("fraction", lambda: ag.tensor([1, 2]).fmod_(1.5), InPlaceError, "fmod in place: .* float32 .* int64"),
    ("real", lambda: ag.tensor([1, 2]).asin_(), InPlaceError, "asin in place: .* float32 .* int64"),
    ("larger", lambda: ag.ones(2).hypot_(ag.ones(3, 2)), ShapeError, r"copy_: source \[3, 2\]"),
    ("leaf", lambda: ag.ones(2, requires_grad=True).square_(), InPlaceError, "a leaf tensor that requires grad"),
    ("expanded", lambda: ag.ones(1).expand(3).lerp_(ag.ones(3), 0.5), InPlaceError, "expanded"),
)


@pytest.mark.parametrize(
    ("call", "error", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_refused(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("size", [6, 40_000])
@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        *CASES,
        *((name, ()) for name in words("abs_ exp_ floor_ log_ neg_ relu_ sigmoid_ sqrt_ tanh_ trunc_ zero_")),
        *((name, (TENSOR,)) for name in words("add_ copy_ div_ mul_ pow_ sub_")),
        *((name, (2.0,)) for name in words("add_ div_ fill_ mul_ pow_ sub_")),
    ],
)
def test_on_memory_that_is_not_aligned(method: str, arguments: tuple[Any, ...], size: int) -> None:
    content = np.resize(START, (2, size // 2)).astype(np.float32)
    memory = np.zeros(content.nbytes + 1, np.uint8)
    unaligned = memory[1:].view(np.float32).reshape(content.shape)
    unaligned[...] = content
    assert not unaligned.flags.aligned
    other = ag.tensor(np.resize(OTHER, content.shape).astype(np.float32))
    given = [{id(TENSOR): other, id(ONE): other + 1}.get(id(a), a) for a in arguments]
    expected = getattr(ag.tensor(content), method)(*given)
    getattr(ag.from_numpy(unaligned), method)(*given)
    assert np.array_equal(unaligned, expected.numpy(), equal_nan=True)
