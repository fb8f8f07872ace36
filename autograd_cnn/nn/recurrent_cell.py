"""Single steps of recurrent layers: RNNCell, GRUCell and LSTMCell."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from autograd_cnn.creation import empty, zeros
from autograd_cnn.errors import ArgumentError, ShapeError
from autograd_cnn.nn import init
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.nn.size import require_sizes
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.recurrent_layer import gru_layer, lstm_layer, rnn_layer

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

States = tuple[Any, ...]


class RNNCellBase(Module):
    """What the cells have in common: their parameters and forms of the input."""

    bias_ih: Any
    bias_hh: Any

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool,
        num_chunks: int,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        require_sizes(type(self).__name__, 0, input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        wide = num_chunks * hidden_size
        self.weight_ih = Parameter(empty(wide, input_size, device=device, dtype=dtype))
        self.weight_hh = Parameter(empty(wide, hidden_size, device=device, dtype=dtype))
        for name in ("bias_ih", "bias_hh"):
            self.register_parameter(name, Parameter(empty(wide, device=device, dtype=dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values: all uniform in [-1/sqrt(hidden_size), 1/sqrt(hidden_size)]."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _step(self, x: Any, states: tuple[Any, ...]) -> States:
        """The states after one step, as those before it: a row for each sample."""
        raise NotImplementedError(f"{type(self).__name__}._step")

    def _run(self, x: Any, states: dict[str, Any]) -> States:
        """The states after one step; states that are None are zeros."""
        name = type(self).__name__
        shape = require_tensor(name, x).array.shape
        if len(shape) not in (1, 2):
            raise ShapeError(f"{name}: input must have 1 or 2 dimensions, got shape {list(shape)}")
        for what, state in states.items():
            wanted = (*shape[:-1], self.hidden_size)
            if state is None:
                states[what] = zeros(*wanted, dtype=x.array.dtype, device=x.device)
            elif require_tensor(f"{name}: {what}", state).array.shape != wanted:
                raise ShapeError(f"{name}: {what} must have shape {list(wanted)}, got {list(state.array.shape)}")
        if len(shape) == 2:
            return self._step(x, tuple(states.values()))
        results = self._step(x.unsqueeze(0), tuple(state.unsqueeze(0) for state in states.values()))
        return tuple(state.squeeze(0) for state in results)

    def _parameters_in_order(self) -> tuple[Any, ...]:
        weights = self.weight_ih, self.weight_hh
        return weights if self.bias_ih is None else (*weights, self.bias_ih, self.bias_hh)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias is True else f", bias={self.bias}")

    def flops(self, inputs: Any, output: Any) -> int:
        """Multiplications and additions of the products: for each sample, all weights twice."""
        return 2 * int(math.prod(inputs[0][:-1]) * (self.weight_ih.array.size + self.weight_hh.array.size))


class RNNCell(RNNCellBase):
    """One step of an RNN: h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or relu with `nonlinearity="relu"`.

    input: (N, input_size), hx: (N, hidden_size), zeros where it is left out; both may lack the N.  Returns h'.

    >>> import autograd_cnn as ag
    >>> RNNCell(4, 8)(ag.zeros(3, 4)).shape
    (3, 8)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"RNNCell: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        h: Tensor = self._run(input, {"hx": hx})[0]
        return h

    def _step(self, x: Any, states: States) -> States:
        sizes = (x.array.shape[0],)
        return rnn_layer(x, states[0], self._parameters_in_order(), self.nonlinearity, sizes=sizes)[:1]

    def extra_repr(self) -> str:
        return super().extra_repr() + ("" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}")


class GRUCell(RNNCellBase):
    """One step of a GRU, called as RNNCell is.

    >>> import autograd_cnn as ag
    >>> GRUCell(4, 8)(ag.zeros(3, 4)).shape
    (3, 8)
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        h: Tensor = self._run(input, {"hx": hx})[0]
        return h

    def _step(self, x: Any, states: States) -> States:
        return gru_layer(x, states[0], self._parameters_in_order(), sizes=(x.array.shape[0],))[:1]


class LSTMCell(RNNCellBase):
    """One step of an LSTM, called as RNNCell is, but that the state is a pair (h, c); returns (h', c').

    >>> import autograd_cnn as ag
    >>> h, c = LSTMCell(4, 8)(ag.zeros(3, 4))
    >>> h.shape, c.shape
    ((3, 8), (3, 8))
    """

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Tensor]:
        if hx is not None and (not isinstance(hx, tuple | list) or len(hx) != 2):
            raise ArgumentError(f"LSTMCell: hx must be a pair (h, c), got {type(hx).__name__}")
        h, c = (None, None) if hx is None else hx
        h, c = self._run(input, {"hx[0]": h, "hx[1]": c})
        return h, c

    def _step(self, x: Any, states: States) -> States:
        y, _, c = lstm_layer(x, states[0], states[1], self._parameters_in_order(), sizes=(x.array.shape[0],))
        return y, c
