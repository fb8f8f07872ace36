"""Functions, methods and classes take PyTorch's arguments: by the same names, in the same order, with its defaults."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag

REQUIRED = inspect.Parameter.empty
VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

# Where neither Python nor the schemas know the parameters: as PyTorch's documentation has them.
DOCUMENTED = {
    "tensor": "data, *, dtype=None, device=None, requires_grad=False, pin_memory=False",
    "new_tensor": "data, *, dtype=None, device=None, requires_grad=False, layout=None, pin_memory=False",
    "as_tensor": "data, dtype=None, device=None",
    "einsum": "equation, *operands",
    "can_cast": "from_, to",
    "promote_types": "type1, type2",
    "result_type": "tensor1, tensor2",
    "logsigmoid": "input",
    "type": "dtype=None",
    "copy_": "src, non_blocking=False",
    "numpy": "*, force=False",
    "RNN": "input_size, hidden_size, num_layers=1, nonlinearity='tanh', bias=True, batch_first=False, dropout=0.0, "
    "bidirectional=False, device=None, dtype=None",
    "LSTM": "input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False, "
    "proj_size=0, device=None, dtype=None",
    "GRU": "input_size, hidden_size, num_layers=1, bias=True, batch_first=False, dropout=0.0, bidirectional=False, "
    "device=None, dtype=None",
}
TORCHSCRIPT = {"a", "b", "t", "l", "list", "reverse", "element", "test_element", "tensor_indices_or_sections", "scale"}

# What is nowhere, and why; docs/differences.md says it, too.
NOWHERE = {
    "out_dtype": "float32 and float64 are all there is",
    "out": "results are fresh memory",
    "layout": "tensors are dense",
    "pin_memory": "there is no device to copy to",
    "memory_format": "tensors are in row-major order, or views",
    "names": "dimensions have no names",
    "_stacklevel": "private: for the warning about a guessed dim",
}
# What differs in a few, and why: parameters by name, and the reason.
KNOWN: dict[str, dict[str, str]] = {
    "add sub subtract rsub add_ sub_ subtract_": {"alpha": "by position it is deprecated"},
    "arange": {"end": "the first of one, the second of several numbers"},
    "randint": {"high size": "the first of one, the second of several numbers"},
    "randint_like": {"high": "the first of one, the second of several numbers"},
    "max min": {"other": "a tensor in dim's place"},
    "scatter scatter_": {"value": "a number in src's place"},
    "tensor_split hsplit vsplit dsplit": {"sections indices": "either in the place of indices_or_sections"},
    "std var std_mean var_mean": {"unbiased": "left out it is True; False may also take dim's place"},
    "repeat_interleave": {"repeats input": "repeat_interleave(repeats) by position"},
    "sparse_coo_tensor": {
        "size indices": "sizes alone are told by their type",
        "pin_memory": "there is no such memory",
    },
    "meshgrid": {"indexing": "PyTorch warns without it"},
    "conv1d conv2d conv3d": {"padding": "numbers or a string in one place"},
    "norm": {"dtype": "after out, which is not there"},
    "expand": {"implicit": "private"},
    "rrelu rrelu_": {"generator": "the default one draws"},
    "random_": {"from to": "a reserved word cannot be a name in Python; one number is the end"},
    "uniform_": {"from": "a reserved word cannot be a name in Python"},
    "to": {"other": "by position"},
    "view": {"dtype": "bytes keep their meaning"},
    "UninitializedBuffer": {"requires_grad device dtype persistent": "a buffer has no gradient to ask for"},
    "to_dense": {"dtype masked_grad": "one layout, COO"},
    "to_sparse": {"sparse_dim blocksize dense_dim": "one layout, COO"},
    "save": {
        "pickle_module pickle_protocol _use_new_zipfile_serialization _disable_byteorder_record": "nothing is pickled"
    },
    "load": {"pickle_module": "nothing is pickled"},
    "enable_grad": {"orig_func": "private"},
    "Hardtanh": {"min_value max_value": "deprecated"},
    "fuse_conv_bn_eval fuse_conv_bn_weights": {"transpose": "not for transposed convolutions"},
    "backward": {"grad_variables inputs": "deprecated, and what stands behind it"},
    "set_detect_anomaly": {"check_nan": "nan is always looked for"},
    "random_split": {"generator": "the default one, whichever it is when called"},
}
# Of PyTorch's C++, without a signature to read.
FORWARD = {"RMSNorm": "x in PyTorch, there alone", "RNNBase": "what PyTorch's takes is its subclasses'"}
UNREADABLE = {"Tensor", "FloatTensor", "DoubleTensor", "LongTensor", "IntTensor", "ByteTensor", "BoolTensor"}
UNREADABLE |= {"Variable", "Generator", "device"}
PLACES = {
    "torch": ("autograd_cnn", "torch"),
    "nn": ("autograd_cnn.nn", "torch.nn"),
    "nn.functional": ("autograd_cnn.nn.functional", "torch.nn.functional"),
    "nn.init": ("autograd_cnn.nn.init", "torch.nn.init"),
    "nn.utils": ("autograd_cnn.nn.utils", "torch.nn.utils"),
    "nn.utils.rnn": ("autograd_cnn.nn.utils.rnn", "torch.nn.utils.rnn"),
    "optim": ("autograd_cnn.optim", "torch.optim"),
    "optim.lr_scheduler": ("autograd_cnn.optim.lr_scheduler", "torch.optim.lr_scheduler"),
    "autograd": ("autograd_cnn.autograd", "torch.autograd"),
    "autograd.functional": ("autograd_cnn.autograd.functional", "torch.autograd.functional"),
    "func": ("autograd_cnn.func", "torch.func"),
    "utils.data": ("autograd_cnn.utils.data", "torch.utils.data"),
    "utils.checkpoint": ("autograd_cnn.utils.checkpoint", "torch.utils.checkpoint"),
    "distributions": ("autograd_cnn.distributions", "torch.distributions"),
}


@dataclass(frozen=True)
class Parameter:
    name: str
    default: Any  # REQUIRED without one
    by_position: bool


def of_python(function: Any) -> list[Parameter]:
    """The parameters of a Python function or of a class's constructor."""
    return [
        Parameter(one.name, one.default, one.kind is not inspect.Parameter.KEYWORD_ONLY)
        for one in inspect.signature(function).parameters.values()
        if one.kind not in VARIADIC
    ]


def of_schemas(torch: ModuleType, name: str) -> list[list[Parameter]]:
    """The parameters of each way to call a function of PyTorch's that is not written in Python."""
    return [
        [
            Parameter(one.name, default_of(one) if one.has_default_value() else REQUIRED, not one.kwarg_only)
            for one in schema.arguments
        ]
        for schema in torch._C._jit_get_schemas_for_operator(f"aten::{name}")
        if not {one.name for one in schema.arguments} & TORCHSCRIPT and not any(one.is_out for one in schema.arguments)
    ]


def default_of(argument: Any) -> Any:
    return "int64" if argument.name == "dtype" and argument.default_value == 4 else argument.default_value


def of_text(text: str) -> list[Parameter]:
    return of_python(eval(f"lambda {text}: None"))  # noqa: S307 - of the table above


def of_pytorch(torch: ModuleType, name: str, found: Any) -> list[list[Parameter]]:
    """The parameters of each way to call `found`; none for what takes nothing, or anything."""
    if name in DOCUMENTED:
        return [of_text(DOCUMENTED[name])]
    if found.__class__ is type(torch.nn.functional.max_pool2d) and getattr(found, "__name__", "") == "fn":
        found = getattr(torch.nn.functional, f"_{name}")  # one of two, by return_indices
    try:
        return [of_python(found)]
    except (ValueError, TypeError):
        return of_schemas(torch, name)


def plain(value: Any) -> Any:
    """A default, as PyTorch and we may write it differently: its number, string or name."""
    if isinstance(value, list | tuple):
        items = {plain(one) for one in value} or {None}  # () says what None does
        return items.pop() if len(items) == 1 else tuple(map(plain, value))  # (1, 1) and 1
    if isinstance(value, np.dtype) or type(value).__name__ == "dtype":
        return str(value).removeprefix("torch.")
    if callable(value):
        return getattr(value, "__name__", str(value))
    return value


def differences(ours: inspect.Signature, theirs: list[Parameter]) -> Iterator[tuple[str, str]]:
    """What of a call of theirs ours would not take: the parameter, and what is wrong with it."""
    parameters = list(ours.parameters.values())
    listed = [one for one in parameters if one.kind not in VARIADIC]
    positional = [one.name for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    several = any(one.kind is one.VAR_POSITIONAL for one in parameters)
    others = any(one.kind is one.VAR_KEYWORD for one in parameters)
    names = {one.name: one for one in listed}
    theirs = [one for one in theirs if one.name in names or one.name not in NOWHERE]
    for place, one in enumerate(theirs):
        if one.name not in names:
            if not others:
                yield one.name, "is not there"
            continue
        if one.by_position and not several and positional[place : place + 1] != [one.name]:
            yield one.name, f"is not argument {place}"
        default = names[one.name].default
        if one.default is not REQUIRED and plain(default) != plain(one.default):
            yield one.name, f"has the default {'none' if default is REQUIRED else default!r}, not {one.default!r}"
    known = {one.name for one in theirs}
    for one in listed:
        if one.default is REQUIRED and one.name not in known:
            yield one.name, "must be given"


Difference = tuple[str, str, str]  # a function's name, a parameter's, and what is different


def of(module: str, name: str) -> Any:
    return getattr(importlib.import_module(module), name, None)


def in_place(torch: ModuleType, place: str) -> Iterator[Difference]:
    """Of the functions and classes that both have there."""
    ours, theirs = PLACES[place]
    for name in dir(importlib.import_module(ours)):
        mine, other = of(ours, name), of(theirs, name)
        own = str(getattr(mine, "__module__", "")).startswith("autograd_cnn")
        if name.startswith("_") or not callable(mine) or not callable(other) or not own or name in UNREADABLE:
            continue
        for way in of_pytorch(torch, name, other):
            as_input = [replace(one, name="input" if one.name == "self" else one.name) for one in way]
            if way:
                yield from ((name, *found) for found in differences(inspect.signature(mine), as_input))


def of_methods(torch: ModuleType) -> Iterator[Difference]:
    for name in dir(ag.Tensor):
        method = getattr(ag.Tensor, name)
        if name.startswith("_") or not callable(method) or not hasattr(torch.Tensor, name):
            continue
        bound = inspect.signature(functools.partial(method, None))
        for way in of_pytorch(torch, name, getattr(torch.Tensor, name)):
            if name in DOCUMENTED or (way and way[0].name == "self"):
                own = way if name in DOCUMENTED else way[1:]
                yield from ((name, *found) for found in differences(bound, own))


def known() -> set[tuple[str, str]]:
    return {
        (name, parameter)
        for names, parameters in KNOWN.items()
        for name in names.split()
        for several in parameters
        for parameter in several.split()
    }


@pytest.mark.parametrize("place", PLACES)
def test_functions_and_classes_take_the_same_arguments(torch: ModuleType, place: str) -> None:
    unknown = [" ".join(one) for one in in_place(torch, place) if one[:2] not in known()]
    assert not unknown, "\n".join(unknown)


def test_methods_take_the_same_arguments(torch: ModuleType) -> None:
    unknown = [" ".join(one) for one in of_methods(torch) if one[:2] not in known()]
    assert not unknown, "\n".join(unknown)


def test_known_differences_are_there(torch: ModuleType) -> None:
    found = {one[:2] for place in PLACES for one in in_place(torch, place)} | {one[:2] for one in of_methods(torch)}
    assert not known() - found


def test_modules_take_the_same_inputs(torch: ModuleType) -> None:
    found = []
    for name in dir(ag.nn):
        ours, theirs = getattr(ag.nn, name), getattr(torch.nn, name, None)
        if not (isinstance(ours, type) and isinstance(theirs, type)) or name in ("Module", *FORWARD):
            continue
        if "forward" in dir(ours) and issubclass(theirs, torch.nn.Module):
            bound = inspect.signature(functools.partial(ours.forward, None))
            found += [f"{name}: {' '.join(one)}" for one in differences(bound, of_python(theirs.forward)[1:])]
    assert not found, "\n".join(found)
