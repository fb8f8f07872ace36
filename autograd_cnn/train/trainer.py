"""Trainer: the loop over epochs and batches, its state, and what may watch it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from autograd_cnn import random
from autograd_cnn.errors import AutogradCnnError, StateDictError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.train.interrupt import InterruptGuard
from autograd_cnn.train.metrics import Average


class DivergedError(AutogradCnnError, ArithmeticError):
    """The loss became nan or inf."""


class Interrupted(AutogradCnnError):  # noqa: N818  (no error: the user asked for it)
    """Training stopped because of a signal, after a whole step; `signal` is its number."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"stopped by signal {signal}")
        self.signal = signal


class Callback:
    """Watches a Trainer; override what is of interest."""

    def on_start(self, trainer: Trainer) -> None:
        """Before the first step."""

    def on_step(self, trainer: Trainer) -> None:
        """After each step."""

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        """After each epoch, with its row of the history."""

    def on_interrupt(self, trainer: Trainer) -> None:
        """After the step in which a signal came."""

    def on_end(self, trainer: Trainer) -> None:
        """However training ends."""


class Trainer:
    """Trains a model: for each batch forward, loss, backward, step; after each epoch validation and schedule.

    `history` has a row for each epoch: loss and accuracy on both sets, learning rate, time.
    `state_dict` holds all that is needed to continue bit for bit, also in mid-epoch.

    >>> import autograd_cnn as ag
    >>> from autograd_cnn import nn, optim
    >>> from autograd_cnn.data import XOR, DataLoader
    >>> _ = ag.manual_seed(0)
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
    >>> trainer = Trainer(model, optim.Adam(model.parameters(), 0.05), nn.CrossEntropyLoss())
    >>> history = trainer.fit(DataLoader(XOR(), 4), epochs=100)
    >>> history[-1]["accuracy"]
    1.0
    """

    def __init__(
        self, model: Any, optimizer: Any, criterion: Any, *, scheduler: Any = None, callbacks: Sequence[Callback] = ()
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.criterion = criterion
        self.scheduler = scheduler
        self.callbacks = list(callbacks)
        self.epoch = 0  # whole epochs done
        self.step = 0  # steps done
        self.history: list[dict[str, Any]] = []
        self.loss = Average()  # of the running epoch
        self.accuracy = Average()
        self.seconds = 0.0  # spent on the running epoch
        self.last_loss = math.nan
        self.should_stop = False
        self.train_loader: Any = None

    def fit(self, train: Any, validation: Any = None, epochs: int = 1) -> list[dict[str, Any]]:
        """Trains until `epochs` epochs are done in all; returns the history.

        Raises DivergedError when the loss is nan or inf, before the step that would spoil the parameters, and
        Interrupted after the step in which SIGINT or SIGTERM came.
        """
        self.train_loader = train
        self.epochs = epochs
        try:
            self._tell("on_start")
            with InterruptGuard() as guard:
                while self.epoch < epochs and not self.should_stop:
                    self._train_epoch(train, guard)
                    self._finish_epoch(validation)
                    if guard.requested is not None:
                        self._tell("on_interrupt")
                        raise Interrupted(guard.requested)
        finally:
            self._tell("on_end")
        return self.history

    def _train_epoch(self, loader: Any, guard: InterruptGuard) -> None:
        self.model.train()
        for x, target in loader:
            started = time.perf_counter()
            self._train_step(x, target)
            self.seconds += time.perf_counter() - started
            self._tell("on_step")
            if guard.requested is not None:
                self._tell("on_interrupt")
                raise Interrupted(guard.requested)

    def _train_step(self, x: Any, target: Any) -> None:
        output = self.model(x)
        loss = self.criterion(output, target)
        value = loss.item()
        if not math.isfinite(value):
            raise DivergedError(
                f"the loss is {value} at step {self.step} (epoch {self.epoch}); the parameters are those before it. "
                "Try a smaller learning rate, or look for the cause with autograd.detect_anomaly()"
            )
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.step += 1
        self.last_loss = value
        self.loss.add(value, len(target))
        self.accuracy.add(_right(output, target) / len(target), len(target))

    def _finish_epoch(self, validation: Any) -> None:
        row: dict[str, Any] = {
            "epoch": self.epoch + 1,
            "step": self.step,
            "loss": self.loss.value,
            "accuracy": self.accuracy.value,
        }
        if validation is not None:
            row |= {f"val_{name}": value for name, value in self.evaluate(validation).items()}
        row["lr"] = self.optimizer.param_groups[0]["lr"]
        row["seconds"] = self.seconds
        row["images_per_second"] = self.loss.count / self.seconds if self.seconds else math.nan
        if self.scheduler is not None:
            self.scheduler.step()
        self.history.append(row)
        self.epoch += 1
        self.loss, self.accuracy, self.seconds = Average(), Average(), 0.0
        self._tell("on_epoch", row)

    def evaluate(self, loader: Any) -> dict[str, float]:
        """Mean loss and accuracy over a loader, in evaluation mode."""
        self.model.eval()
        loss, right = Average(), Average()
        with no_grad():
            for x, target in loader:
                output = self.model(x)
                loss.add(self.criterion(output, target).item(), len(target))
                right.add(_right(output, target) / len(target), len(target))
        return {"loss": loss.value, "accuracy": right.value}

    def _tell(self, event: str, *args: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self, *args)

    # State

    def state_dict(self) -> dict[str, Any]:
        """Everything but the model's and the optimizer's state: position, history, random state."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "history": self.history,
            "loss": self.loss.state_dict(),
            "accuracy": self.accuracy.state_dict(),
            "seconds": self.seconds,
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "loader": None if self.train_loader is None else self.train_loader.state_dict(),
            "random": random.get_rng_state(),
            "callbacks": [_state_of(callback) for callback in self.callbacks],
        }

    def load_state_dict(self, state: dict[str, Any], train_loader: Any) -> None:
        """Continues from a state of `state_dict`; `train_loader` must be over the same data with the same settings.

        Raises StateDictError where something does not fit.
        """
        if (state["scheduler"] is None) != (self.scheduler is None):
            raise StateDictError("Trainer: the saved run and this one differ in having a scheduler")
        if state["loader"] is not None:
            train_loader.load_state_dict(state["loader"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        for callback, saved in zip(self.callbacks, state["callbacks"], strict=False):
            if saved is not None:
                callback.load_state_dict(saved)  # type: ignore[attr-defined]
        random.set_rng_state(state["random"])
        self.epoch, self.step, self.history = state["epoch"], state["step"], list(state["history"])
        self.loss.load_state_dict(state["loss"])
        self.accuracy.load_state_dict(state["accuracy"])
        self.seconds = state["seconds"]


def _state_of(callback: Callback) -> Any:
    state_dict = getattr(callback, "state_dict", None)
    return None if state_dict is None else state_dict()


def _right(output: Any, target: Any) -> int:
    return int((output.detach().argmax(1) == target).sum().item())
