"""Devices: tensors on different ones do not meet, and nothing has changed when they tried."""

from collections.abc import Callable
from typing import Any

import pytest

import autograd_cnn as ag
import autograd_cnn.nn.functional as F
from autograd_cnn.device import CPU, Device
from autograd_cnn.errors import DeviceError

ELSEWHERE = Device("elsewhere", kernels="autograd_cnn.kernels.cpu")


def elsewhere(tensor: ag.Tensor) -> ag.Tensor:
    tensor.device = ELSEWHERE
    return tensor


@pytest.mark.parametrize(
    ("op", "message"),
    [
        (lambda x: x + elsewhere(ag.ones(2, 2)), "add: x is on cpu, other on elsewhere"),
        (lambda x: elsewhere(ag.ones(2, 2)) * x, "mul: x is on elsewhere, other on cpu"),
        (lambda x: x @ elsewhere(ag.ones(2, 2)), "matmul: x is on cpu, other on elsewhere"),
        (lambda x: ag.cat([x, elsewhere(ag.ones(2, 2))]), r"cat: tensors\[0\] is on cpu, tensors\[1\] on elsewhere"),
        (lambda x: F.linear(x, elsewhere(ag.ones(2, 2)), ag.ones(2)), "linear: x is on cpu, weight on elsewhere"),
        (lambda x: ag.where(elsewhere(x.detach() > 0), x, x), "where: condition is on elsewhere, x on cpu"),
        (lambda x: x.detach().add_(elsewhere(ag.ones(2, 2))), "add: x is on cpu, other on elsewhere"),
    ],
)
def test_tensors_on_different_devices(op: Callable[[ag.Tensor], Any], message: str) -> None:
    x = ag.ones(2, 2, requires_grad=True)
    with pytest.raises(DeviceError, match=message):
        op(x)
    assert x.tolist() == [[1, 1], [1, 1]]
    assert x._version == 0


def test_results_stay_on_the_device() -> None:
    x = elsewhere(ag.ones(2, 2)).requires_grad_()
    (x.tanh() * 2 @ x).sum().backward()
    assert x.grad.device is ELSEWHERE
    assert ag.ones(1).device is CPU


def test_an_unknown_device() -> None:
    with pytest.raises(DeviceError, match="there is no device 'cuda'; available: 'cpu'"):
        ag.ones(2).to("cuda")
