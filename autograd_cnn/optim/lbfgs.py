"""L-BFGS: Newton's method with a curvature that is remembered from the last steps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.graph.grad_mode import enable_grad, no_grad
from autograd_cnn.graph.in_place import require_changeable
from autograd_cnn.ops.join import cat
from autograd_cnn.optim.line_search import Point, strong_wolfe
from autograd_cnn.optim.optimizer import Optimizer, State
from autograd_cnn.optim.settings import check_range
from autograd_cnn.tensor import Tensor


class LBFGS(Optimizer):
    """Limited-memory BFGS: steps along -H g, H being the inverse Hessian as the last history_size steps saw it.

    With s = p - p_before, y = g - g_before, r = 1 / y.s of each remembered step, H g is found by two loops over them:
    q = g;  newest first: a = r s.q, q = q - a y;  q = q y.s / y.y of the newest;  oldest first: q = q + (a - r y.q) s.

    A `step(closure)` makes up to max_iter such steps and calls the closure, which computes gradients and returns the
    loss, up to max_eval times (1.25 max_iter).  They are lr long (the first of all lr min(1, 1 / |g|_1)), or, with
    line_search_fn "strong_wolfe", as long as both of Wolfe's conditions ask for.  It ends when the largest element of
    the gradient is below tolerance_grad, or that of the step, or the change of the loss, below tolerance_change.

    All parameters are one group, and the state is kept under the first of them.

    J. Nocedal: "Updating quasi-Newton matrices with limited storage", 1980.

    >>> import autograd_cnn as ag
    >>> p = ag.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = LBFGS([p], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((p - ag.tensor([1.0, 5.0])) ** 4).sum()
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(3):
    ...     loss = optimizer.step(closure)
    >>> bool(closure() < 1e-6)
    True
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        settings = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, settings)

    def check(self, group: Mapping[str, Any]) -> None:
        names = ("lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size")
        check_range("LBFGS", 0, **{name: group[name] for name in names})
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ArgumentError(
                f"LBFGS: line_search_fn must be None or 'strong_wolfe', got {group['line_search_fn']!r}"
            )

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        if self.param_groups:
            raise ArgumentError("LBFGS: all parameters must be in one group")
        super().add_param_group(param_group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Up to max_iter steps; `closure` computes gradients and returns the loss.  Returns the first loss."""
        if closure is None:
            raise DTypeError("LBFGS: step needs a closure that computes gradients and returns the loss")
        with no_grad():
            return _Descent(self, enable_grad()(closure)).run()


class _Descent:
    """One call of `step`."""

    def __init__(self, optimizer: LBFGS, closure: Callable[[], Any]) -> None:
        self.group = optimizer.param_groups[0]
        self.params: list[Any] = self.group["params"]
        self.state = optimizer.state[self.params[0]]
        self.closure = closure
        self.evaluations = 0

    def run(self) -> Any:
        group, state = self.group, self.state
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = self.closure()
        loss, gradient = float(first), self._gradient()
        self._count(1)
        _fit(state, gradient)
        if _largest(gradient) <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = _direction(state, gradient, group["history_size"])
            step = float(group["lr"])
            if state["n_iter"] == 1:
                total = float(gradient.abs().sum())
                step *= min(1.0, 1.0 / total)
            before, slope = loss, _dot(gradient, direction)
            state.update(d=direction, t=step, prev_flat_grad=gradient, prev_loss=before)
            if slope > -group["tolerance_change"]:
                break
            last = iteration == group["max_iter"]
            if group["line_search_fn"] is not None:
                loss, gradient, step = self._search(step, direction, Point(0.0, loss, gradient, slope))
                self._move(step, direction)
                state["t"] = step
            else:
                self._move(step, direction)
                if not last:  # in the last iteration nobody needs them
                    loss, gradient = float(self.closure()), self._gradient()
                    self._count(1)
            if (
                last
                or self.evaluations >= group["max_eval"]
                or _largest(gradient) <= group["tolerance_grad"]
                or _largest(direction) * abs(step) <= group["tolerance_change"]
                or abs(loss - before) < group["tolerance_change"]
            ):
                break
        return first

    def _count(self, evaluations: int) -> None:
        self.evaluations += evaluations
        self.state["func_evals"] += evaluations

    def _search(self, step: float, direction: Any, start: Point) -> tuple[float, Any, float]:
        """Loss, gradient and length of the step that the line search finds; the parameters stay where they are."""
        here = [p.clone() for p in self.params]

        def evaluate(step: float) -> Point:
            self._move(step, direction)
            loss, gradient = float(self.closure()), self._gradient()
            for p, value in zip(self.params, here, strict=True):
                p.copy_(value)
            return Point(step, loss, gradient, _dot(gradient, direction))

        limit = self.group["max_eval"] - self.evaluations
        size, tolerance = _largest(direction), self.group["tolerance_change"]
        found, evaluations = strong_wolfe(evaluate, step, start, size, tolerance, limit)
        self._count(evaluations)
        return found.value, found.gradient, found.step

    def _gradient(self) -> Any:
        """All gradients in one vector, of its own memory."""
        grads = [p.new_zeros(p.shape) if p.grad is None else p.grad for p in self.params]
        return cat([g.detach().reshape(-1) for g in grads])

    def _move(self, step: float, direction: Any) -> None:
        end = 0
        for p in self.params:
            start, end = end, end + p.numel()
            part = direction[start:end].reshape(p.shape)
            if p.array.flags.c_contiguous and p.dtype == part.dtype:
                require_changeable("LBFGS.step", "a parameter", p)
                p.device.kernels.add_scaled(p.array, part.array, step)
                p.mark_changed("LBFGS.step")
            else:
                p.add_(part, alpha=step)


def _fit(state: State, gradient: Any) -> None:
    """Gives the vectors of a state the gradient's dtype, which another has after the parameters were converted."""

    def fitted(x: Any) -> Any:
        if x.shape != gradient.shape:
            raise ShapeError(
                f"LBFGS: the state is of {x.numel()} parameters, there are {gradient.numel()}; make a new optimizer"
            )
        return x.contiguous() if x.dtype == gradient.dtype else x.to(gradient.dtype)

    for name in ("d", "prev_flat_grad"):
        if state.get(name) is not None:
            state[name] = fitted(state[name])
    for name in ("old_dirs", "old_stps"):
        if state.get(name):
            state[name] = [fitted(x) for x in state[name]]


def _direction(state: State, gradient: Any, history_size: int) -> Any:
    """-H g, after the step before was remembered."""
    if state["n_iter"] == 1:
        state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
        return -gradient
    ys, ss, ro = state["old_dirs"], state["old_stps"], state["ro"]
    y, s = gradient - state["prev_flat_grad"], state["d"] * float(state["t"])
    curvature = _dot(y, s)
    if curvature > 1e-10:
        if len(ys) == history_size:
            for memory in (ys, ss, ro):
                del memory[:1]
        ys.append(y)
        ss.append(s)
        ro.append(1.0 / curvature)
        state["H_diag"] = curvature / _dot(y, y)
    q = -gradient
    shares = []
    for y, s, r in zip(reversed(ys), reversed(ss), reversed(ro), strict=True):
        shares.append(_dot(s, q) * float(r))
        q.device.kernels.add_scaled(q.array, y.array, -shares[-1])
    q.mul_(float(state["H_diag"]))
    for y, s, r, share in zip(ys, ss, ro, reversed(shares), strict=True):
        q.device.kernels.add_scaled(q.array, s.array, share - _dot(y, q) * float(r))
    return q


def _dot(x: Any, y: Any) -> float:
    value: float = x.device.kernels.dot_of(x.array, y.array)
    return value


def _largest(x: Any) -> float:
    return float(x.abs().max()) if x.numel() else 0.0
