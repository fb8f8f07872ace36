"""Recurrent layers: RNN, GRU and LSTM."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from autograd_cnn.creation import empty, zeros
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.nn import functional as F
from autograd_cnn.nn import init
from autograd_cnn.nn.module import Module
from autograd_cnn.nn.parameter import Parameter
from autograd_cnn.nn.size import require_sizes
from autograd_cnn.nn.utils.rnn import PackedSequence
from autograd_cnn.ops.join import cat, stack
from autograd_cnn.ops.operand import require_tensor
from autograd_cnn.ops.recurrent_layer import gru_layer, lstm_layer, rnn_layer

if TYPE_CHECKING:
    from autograd_cnn.tensor import Tensor

States = tuple[Any, ...]
GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "GRU": 3, "LSTM": 4}


class RNNBase(Module):
    """What RNN, GRU and LSTM have in common: layers, directions, their parameters, and forms of the input."""

    states: ClassVar[tuple[str, ...]] = ("hx",)  # what a user knows them by

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        *,
        unroll: bool = False,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        if mode not in GATES:
            raise ArgumentError(f"{name}: mode must be one of {', '.join(GATES)}, got {mode!r}")
        for what, value in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(value, bool):
                raise DTypeError(f"{name}: {what} must be a bool, got {value!r}")
        if isinstance(dropout, bool) or not isinstance(dropout, int | float) or not 0 <= dropout <= 1:
            raise ArgumentError(f"{name}: dropout must lie in [0, 1], got {dropout!r}")
        require_sizes(name, 1, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        require_sizes(name, 0, proj_size=proj_size)
        if proj_size >= hidden_size:
            raise ArgumentError(f"{name}: proj_size must be smaller than hidden_size, {hidden_size}, got {proj_size}")
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                f"{name}: dropout={dropout} has no effect with num_layers=1, as it is between layers", stacklevel=3
            )
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self.unroll = unroll
        wide, out = GATES[mode] * hidden_size, proj_size or hidden_size
        self._names: list[list[str]] = []
        for layer in range(num_layers):
            features = input_size if layer == 0 else out * (1 + bidirectional)
            for suffix in ("", "_reverse")[: 1 + bidirectional]:
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (wide, features), "weight_hh": (wide, out)}
                if bias:
                    shapes |= {"bias_ih": (wide,), "bias_hh": (wide,)}
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                names = {f"{what}_l{layer}{suffix}": shape for what, shape in shapes.items()}
                for parameter, shape in names.items():
                    self.register_parameter(parameter, Parameter(empty(*shape, device=device, dtype=dtype)))
                self._names.append(list(names))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws new initial values: all uniform in [-1/sqrt(hidden_size), 1/sqrt(hidden_size)]."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._names]

    def flatten_parameters(self) -> None:
        """Does nothing: there is no order of parameters in memory that would be faster."""

    def _layer(
        self, x: Any, states: States, parameters: Sequence[Any], reverse: bool, sizes: tuple[int, ...] | None
    ) -> tuple[Any, States]:
        """One layer in one direction: all its outputs, and its last states."""
        raise NotImplementedError(f"{type(self).__name__}._layer")

    def forward(self, input: Tensor | PackedSequence, hx: Any = None) -> Any:
        given: States | None = None if hx is None else self._as_states(hx)
        if isinstance(input, PackedSequence):
            data, batch_sizes, order, back = input
            sizes = tuple(batch_sizes.tolist())
            self._require(data, 2, "packed data")
            if given is not None:
                given = self._checked(given, sizes[0], 3)
                given = given if order is None else tuple(state.index_select(1, order) for state in given)
            y, last = self._layers(data, given, sizes[0], sizes)
            last = last if back is None else tuple(state.index_select(1, back) for state in last)
            return PackedSequence(y, batch_sizes, order, back), self._as_given(last)
        batched = require_tensor(type(self).__name__, input).array.ndim != 2
        self._require(input, 3 if batched else 2, "input")
        x = input
        if not batched:
            x = x.unsqueeze(1)
        elif self.batch_first:
            x = x.transpose(0, 1)
        samples = x.array.shape[1]
        if given is not None:
            given = self._checked(given, samples, 3 if batched else 2)
            given = given if batched else tuple(state.unsqueeze(1) for state in given)
        y, last = self._layers(x, given, samples, None)
        if not batched:
            return y.squeeze(1), self._as_given(tuple(state.squeeze(1) for state in last))
        return y.transpose(0, 1) if self.batch_first else y, self._as_given(last)

    def _as_states(self, hx: Any) -> States:
        return (hx,)

    def _as_given(self, states: States) -> Any:
        return states[0]

    def _require(self, x: Any, ndim: int, what: str) -> None:
        """Raises where x cannot be what the layers take."""
        name, shape, dtype = type(self).__name__, x.array.shape, getattr(self, self._names[0][0]).array.dtype
        if len(shape) != ndim:
            wanted = "must have 2" if ndim == 2 else "must have 2 or 3"
            raise ShapeError(f"{name}: {what} {wanted} dimensions, got shape {list(shape)}")
        if shape[-1] != self.input_size:
            raise ShapeError(f"{name}: {what} {list(shape)} has {shape[-1]} features, input_size is {self.input_size}")
        if x.array.dtype != dtype:
            raise DTypeError(f"{name}: {what} has dtype {x.array.dtype}, the weights have {dtype}; convert with .to()")

    def _checked(self, states: States, samples: int, ndim: int) -> States:
        """The states that were given; raises where they do not fit."""
        name, count = type(self).__name__, self.num_layers * (1 + self.bidirectional)
        widths = (self.proj_size or self.hidden_size, self.hidden_size)[: len(states)]
        for what, state, units in zip(self.states, states, widths, strict=True):
            require_tensor(f"{name}: {what}", state)
            wanted = (count, samples, units) if ndim == 3 else (count, units)
            if state.array.shape != wanted:
                raise ShapeError(f"{name}: {what} must have shape {list(wanted)}, got {list(state.array.shape)}")
        return states

    def _layers(self, x: Any, given: States | None, samples: int, sizes: tuple[int, ...] | None) -> tuple[Any, States]:
        """All layers in all directions: the outputs of the last one, and the last states of all."""
        directions = 1 + self.bidirectional
        first: list[States]
        if given is None:
            dtype, widths = x.array.dtype, (self.proj_size or self.hidden_size, self.hidden_size)[: len(self.states)]
            first = [tuple(zeros(samples, n, dtype=dtype, device=x.device) for n in widths)] * len(self._names)
        else:
            first = list(zip(*(state.unbind(0) for state in given), strict=True))
        last: list[States] = []
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = F.dropout(x, self.dropout, True)
            results = []
            for direction in range(directions):
                i = layer * directions + direction
                parameters = [getattr(self, name) for name in self._names[i]]
                y, states = self._layer(x, first[i], parameters, direction == 1, sizes)
                results.append(y)
                last.append(states)
            x = results[0] if directions == 1 else cat(results, -1)
        if len(last) == 1:
            return x, tuple(state.unsqueeze(0) for state in last[0])
        return x, tuple(stack(each) for each in zip(*last, strict=True))

    def extra_repr(self) -> str:
        shown = {
            "proj_size": (self.proj_size, 0),
            "num_layers": (self.num_layers, 1),
            "bias": (self.bias, True),
            "batch_first": (self.batch_first, False),
            "dropout": (self.dropout, 0),
            "bidirectional": (self.bidirectional, False),
            "unroll": (self.unroll, False),
        }
        options = [f"{name}={value}" for name, (value, default) in shown.items() if value != default]
        return ", ".join([str(self.input_size), str(self.hidden_size), *options])

    def flops(self, inputs: Any, output: Any) -> int:
        """Multiplications and additions of the products: for each row of the input, all weights twice."""
        shape = inputs[0]
        return 2 * int(math.prod(shape[:-1]) * sum(p.array.size for p in self.parameters() if p.array.ndim == 2))


class RNN(RNNBase):
    """Elman's recurrent layers: h_t = tanh(W_ih x_t + b_ih + W_hh h_(t-1) + b_hh), or relu with `nonlinearity="relu"`.

    input: (T, N, input_size), with `batch_first` (N, T, input_size), for a single sequence (T, input_size), or a
    PackedSequence; hx: (layers * directions, N, hidden_size), zeros where it is left out.  Returns the last layer's
    states for all steps, in the form of the input and of both directions side by side, and the last states of all
    layers.  `dropout` is between layers, in training.

    All steps run in one kernel each way, forward and backward through time; `unroll=True` records every step as
    ordinary ops, so that the graph shows them.

    J. Elman: "Finding structure in time", 1990.

    >>> import autograd_cnn as ag
    >>> y, h_n = RNN(4, 8, num_layers=2)(ag.zeros(5, 3, 4))
    >>> y.shape, h_n.shape
    ((5, 3, 8), (2, 3, 8))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        unroll: bool = False,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"RNN: nonlinearity must be 'tanh' or 'relu', got {nonlinearity!r}")
        mode = f"RNN_{nonlinearity.upper()}"
        options = (num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype)
        super().__init__(mode, input_size, hidden_size, *options, unroll=unroll)
        self.nonlinearity = nonlinearity

    def _layer(
        self, x: Any, states: States, parameters: Sequence[Any], reverse: bool, sizes: tuple[int, ...] | None
    ) -> tuple[Any, States]:
        y, h_n = rnn_layer(x, states[0], parameters, self.nonlinearity, reverse, sizes, self.unroll)
        return y, (h_n,)


class GRU(RNNBase):
    """Layers of gated recurrent units, called as RNN is.

    r = sigmoid(W_ir x + b_ir + W_hr h + b_hr), z = sigmoid(W_iz x + b_iz + W_hz h + b_hz),
    n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h.

    K. Cho et al.: "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
    2014; the reset gate comes after the product, as in PyTorch.

    >>> import autograd_cnn as ag
    >>> y, h_n = GRU(4, 8, batch_first=True, bidirectional=True)(ag.zeros(3, 5, 4))
    >>> y.shape, h_n.shape
    ((3, 5, 16), (2, 3, 8))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        unroll: bool = False,
    ) -> None:
        options = (num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype)
        super().__init__("GRU", input_size, hidden_size, *options, unroll=unroll)

    def _layer(
        self, x: Any, states: States, parameters: Sequence[Any], reverse: bool, sizes: tuple[int, ...] | None
    ) -> tuple[Any, States]:
        y, h_n = gru_layer(x, states[0], parameters, reverse, sizes, self.unroll)
        return y, (h_n,)


class LSTM(RNNBase):
    """Layers of long short-term memory, called as RNN is, but that a state is a pair (h, c).

    i, f, o = sigmoid(W_i x + b_i + W_h h + b_h), g = tanh(likewise), c' = f c + i g, h' = o tanh(c').

    With `proj_size`, h' = W_hr o tanh(c') has that many elements (Sak et al. 2014), and h_0 too.

    S. Hochreiter and J. Schmidhuber: "Long short-term memory", 1997.

    >>> import autograd_cnn as ag
    >>> y, (h_n, c_n) = LSTM(4, 8)(ag.zeros(5, 3, 4))
    >>> y.shape, h_n.shape, c_n.shape
    ((5, 3, 8), (1, 3, 8), (1, 3, 8))
    """

    states = ("hx[0]", "hx[1]")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
        *,
        unroll: bool = False,
    ) -> None:
        options = (num_layers, bias, batch_first, dropout, bidirectional, proj_size, device, dtype)
        super().__init__("LSTM", input_size, hidden_size, *options, unroll=unroll)

    def _layer(
        self, x: Any, states: States, parameters: Sequence[Any], reverse: bool, sizes: tuple[int, ...] | None
    ) -> tuple[Any, States]:
        weight_hr = parameters[-1] if self.proj_size else None
        parameters = parameters[:-1] if self.proj_size else parameters
        y, h_n, c_n = lstm_layer(x, states[0], states[1], parameters, reverse, sizes, self.unroll, weight_hr)
        return y, (h_n, c_n)

    def _as_states(self, hx: Any) -> States:
        if not isinstance(hx, tuple | list) or len(hx) != 2:
            raise ArgumentError(f"LSTM: hx must be a pair (h_0, c_0), got {type(hx).__name__}")
        return tuple(hx)

    def _as_given(self, states: States) -> Any:
        return states
