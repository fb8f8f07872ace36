"""Module: a layer or a network, with a forward pass, hooks, modes and a state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from autograd_cnn.device import Device
from autograd_cnn.device import device as as_device
from autograd_cnn.dtype import as_dtype, float32, float64
from autograd_cnn.errors import ArgumentError, DTypeError, NoCudaError
from autograd_cnn.graph.grad_mode import STATE, Scope, State
from autograd_cnn.graph.handle import RemovableHandle
from autograd_cnn.nn.forward_hook import Hook, Hooks, add, call_with_hooks
from autograd_cnn.nn.registry import Registry
from autograd_cnn.nn.state import IncompatibleKeys, entries, load
from autograd_cnn.nn.uninitialized import Uninitialized
from autograd_cnn.tensor import Tensor
from autograd_cnn.tensor_conversion import conversion

if TYPE_CHECKING:
    from autograd_cnn.nn.summary import Summary


class Call(Scope):
    """The call of a module.  Its path is looked up when somebody asks, for most calls never."""

    __slots__ = ("_path",)

    module: Module
    parent: Call | None

    def __init__(self, module: Module, parent: Any) -> None:
        self.module = module
        self.parent = parent
        self._path: str | None = None

    @property
    def path(self) -> str:  # type: ignore[override]
        if self._path is None:
            parent = self.parent
            self._path = "" if parent is None else _path_within(parent.module, self.module, parent.path)
        return self._path


def _path_within(parent: Module, child: Module, prefix: str) -> str:
    """The dotted path of a module that was called by `parent`; its class's name where it is no part of it."""
    name = next((name for name, module in parent.named_modules() if module is child), type(child).__name__)
    return f"{prefix}.{name}" if prefix else name


class Module(Registry):
    """A layer or a network: assign parameters and modules to attributes, define `forward`, and call it.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(4, 8)
    ...         self.out = nn.Linear(8, 2)
    ...     def forward(self, x):
    ...         return self.out(self.hidden(x).relu())
    >>> net = Net()
    >>> net(ag.zeros(3, 4)).shape
    (3, 2)
    >>> net
    Net(
      (hidden): Linear(in_features=4, out_features=8, bias=True)
      (out): Linear(in_features=8, out_features=2, bias=True)
    )
    """

    training: bool
    _forward_pre_hooks: Hooks
    _forward_hooks: Hooks
    _backward_hooks: OrderedDict[int, Callable[..., Any]]

    def __init__(self) -> None:
        super().__init__()
        self.training = True
        self._forward_pre_hooks = OrderedDict()
        self._forward_hooks = OrderedDict()
        self._backward_hooks = OrderedDict()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The computation; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__}: has no forward method; define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        outer = STATE.get()
        # `within`, without the call.
        scope = Call(self, outer.scope)
        inner = State(outer.recording, outer.inference, outer.anomaly, scope, outer.timestep, outer.order)
        STATE.set(inner)
        try:
            if self._forward_hooks or self._forward_pre_hooks or self._backward_hooks:
                return call_with_hooks(self, args, kwargs)
            return self.forward(*args, **kwargs)
        finally:
            now = STATE.get()  # another than `inner` where forward called set_grad_enabled, which outlasts it
            STATE.set(outer if now is inner else now.within(outer.scope))

    # State

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> OrderedDict[str, Tensor]:
        """Every parameter and persistent buffer by its dotted path, sharing memory.

        >>> from autograd_cnn import nn
        >>> list(nn.Linear(2, 1).state_dict())
        ['weight', 'bias']
        """
        return OrderedDict((path, tensor if keep_vars else tensor.detach()) for path, tensor in entries(self, prefix))

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copies a state dict, of tensors or arrays, into the parameters and buffers, by name.

        Raises StateDictError that lists every missing, unexpected or misshapen entry (with `strict=False` only the
        misshapen ones); nothing has changed then.

        >>> import numpy as np
        >>> from autograd_cnn import nn
        >>> layer = nn.Linear(2, 1)
        >>> layer.load_state_dict({"weight": np.ones((1, 2)), "bias": np.zeros(1)})
        <All keys matched successfully>
        """
        return load(self, state_dict, strict)

    # Modes and conversion

    def apply(self, fn: Callable[[Module], None]) -> Self:
        """Calls `fn` on every module below, then on self; returns self.

        >>> from autograd_cnn import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU()).apply(lambda module: print(type(module).__name__))
        Linear
        ReLU
        Sequential
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> Self:
        """Switches dropout, batch norm and their like to training behaviour; returns self."""
        if not isinstance(mode, bool):
            raise ArgumentError(f"train: mode must be True or False, got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Switches dropout, batch norm and their like to evaluation behaviour; returns self."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Asks for gradients of all parameters, or no longer; returns self."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forgets all gradients, or sets them to zero."""
        for parameter in self.parameters():
            if parameter.grad is not None:
                parameter.grad = None if set_to_none else parameter.grad.detach().zero_()

    def to(self, *target: Any, dtype: Any = None, device: Any = None) -> Self:
        """Converts floating point parameters and buffers to a dtype, and moves all to a device; returns self.

        Parameters stay the same objects, so an optimizer goes on with them.  Raises DTypeError for a dtype that is
        not floating point, DeviceError for a device that is not there.

        >>> import autograd_cnn as ag
        >>> from autograd_cnn import nn
        >>> nn.Linear(2, 1).to(ag.float64).weight.dtype
        dtype('float64')
        """
        dtype, device = conversion(target, dtype, device)
        if dtype is not None:
            dtype = as_dtype(dtype, f"{type(self).__name__}.to")
            if dtype.kind != "f":
                raise DTypeError(f"{type(self).__name__}.to: dtype must be floating point, got {dtype}")
        if device is not None:
            device = as_device(device)
        for tensor in (*self.parameters(), *self.buffers()):
            _convert(tensor, dtype, device)
        return self

    def float(self) -> Self:
        """Converts floating point parameters and buffers to float32; returns self."""
        return self.to(float32)

    def double(self) -> Self:
        """Converts floating point parameters and buffers to float64; returns self."""
        return self.to(float64)

    def cpu(self) -> Self:
        """Moves all parameters and buffers to the CPU; returns self."""
        return self.to(device="cpu")

    def cuda(self, device: Any = None) -> Self:
        """Raises NoCudaError: there is no GPU to move to."""
        raise NoCudaError(f"{type(self).__name__}.cuda: there is no CUDA device; kernels run on the CPU")

    # Hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Calls `hook(module, args)` before forward; what it returns, if anything, replaces the arguments.

        `with_kwargs` makes it `hook(module, args, kwargs)`, which returns None or (args, kwargs).
        """
        return add(self._forward_pre_hooks, Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Calls `hook(module, args, output)` after forward; what it returns, if anything, replaces the output.

        `with_kwargs` makes it `hook(module, args, kwargs, output)`; `always_call` calls it after an error, too.
        """
        return add(self._forward_hooks, Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_hook(
        self, hook: Callable[[Module, Any, Any], Any], prepend: bool = False
    ) -> RemovableHandle:
        """Calls `hook(module, grad_input, grad_output)` when the gradients of the inputs are there.

        Both are tuples, None for what has no gradient; what it returns, if anything, replaces grad_input.
        """
        return add(self._backward_hooks, hook, prepend)

    # Printing

    def extra_repr(self) -> str:
        """The settings between the parentheses of the printed module."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        children = [f"({name}): {module!r}" for name, module in self._modules.items()]
        return self._block(children)

    def _block(self, children: list[str]) -> str:
        """The settings and the children, a line each, or the settings alone between the parentheses."""
        extra = self.extra_repr()
        settings = extra.split("\n") if extra else []
        if not children and len(settings) <= 1:
            return f"{self._get_name()}({extra})"
        lines = settings + [child.replace("\n", "\n  ") for child in children]
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"

    def flops(self, inputs: tuple[tuple[int, ...], ...], output: tuple[int, ...]) -> int:
        """Floating point operations of this module's own forward, given its inputs' and output's shapes."""
        return 0

    def summary(self, *inputs: Any, input_size: Any = None, depth: int | None = None) -> Summary:
        """A table of output shapes, parameters and FLOPs of every layer, for inputs or for their sizes.

        Runs the module once in evaluation mode.  `input_size` is (N, C, H, W), or a list of sizes where there are
        several inputs; `depth` is how many levels of modules are shown, the deepest with all that is within.

        >>> from autograd_cnn import nn
        >>> nn.Sequential(nn.Linear(4, 2), nn.ReLU()).summary(input_size=(1, 4)).total_parameters
        10
        """
        from autograd_cnn.nn.summary import summarize

        return summarize(self, inputs, input_size, depth)


def _convert(tensor: Any, dtype: Any, device: Device | None) -> None:
    """Gives a tensor, and its gradient, another array."""
    if isinstance(tensor, Uninitialized):
        tensor.convert(dtype, device)
        return
    converted = tensor.detach().to(dtype=dtype if tensor.is_floating_point() else None, device=device)
    if converted.array is not tensor.array:
        tensor.array = converted.array
        tensor.device = converted.device
        tensor.mark_changed("Module.to")
    if tensor._grad is not None:
        _convert(tensor._grad, dtype, device)
