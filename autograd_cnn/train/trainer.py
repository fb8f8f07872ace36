"""Trainer: the loop over epochs and batches, its state, and what may watch it."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from autograd_cnn import random
from autograd_cnn.errors import ArgumentError, AutogradCnnError, StateDictError
from autograd_cnn.graph.grad_mode import no_grad
from autograd_cnn.train.interrupt import InterruptGuard
from autograd_cnn.train.metrics import Average, count_right


class DivergedError(AutogradCnnError, ArithmeticError):
    """The loss or a parameter became nan or inf."""


class Interrupted(AutogradCnnError):
    """Training stopped because of a signal, after a whole step; `signal` is its number."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"stopped by signal {signal}")
        self.signal = signal


class Callback:
    """Watches a Trainer; override what is of interest.

    key: the name under which `state_dict()` is saved with the run, for callbacks that have a state.
    """

    key: str | None = None

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

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues from a state of `state_dict`."""


class Trainer:
    """Trains a classifier: for each batch forward, loss, backward, step; after each epoch validation and schedule.

    criterion: (output (N, C), target (N,)) -> the mean loss of the batch.
    scheduler: steps once an epoch.
    `history` has a row for each epoch: loss and accuracy on both sets, learning rate, time.
    `state_dict` holds all that is needed to continue bit for bit, also in mid-epoch, but the states of model and
    optimizer.

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
        self,
        model: Any,
        optimizer: Any,
        criterion: Any,
        *,
        scheduler: Any = None,
        callbacks: Sequence[Callback] = (),
        interrupt_notice: str = "",
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.criterion = criterion
        self.scheduler = scheduler
        self.callbacks = list(callbacks)
        self.interrupt_notice = interrupt_notice
        self.epoch = 0  # whole epochs done
        self.epochs = 0  # epochs to do in all
        self.step = 0  # steps done
        self.history: list[dict[str, Any]] = []
        self.loss = Average()  # of the running epoch
        self.accuracy = Average()
        self.seconds = 0.0  # spent on the running epoch
        self.should_stop = False
        self.train_loader: Any = None

    def fit(self, train: Any, validation: Any = None, epochs: int = 1) -> list[dict[str, Any]]:
        """Trains until `epochs` epochs are done in all; returns the history.

        train, validation: loaders of (x, target) batches.
        Raises DivergedError when the loss is nan or inf, before the step that would spoil the parameters, and
        Interrupted after the step in which SIGINT or SIGTERM came.
        """
        if epochs < 1:
            raise ArgumentError(f"Trainer.fit: epochs must be at least 1, got {epochs}")
        if len(train) == 0:
            raise ArgumentError("Trainer.fit: the training loader has no batches")
        self.train_loader, self.epochs = train, epochs
        try:
            with InterruptGuard(self.interrupt_notice) as guard:
                self._tell("on_start")
                while self.epoch < epochs and not self.should_stop:
                    self._train_epoch(train, guard)
                    self._finish_epoch(validation)
                    self._heed(guard)
        finally:
            self._tell("on_end")
        return self.history

    def _heed(self, guard: InterruptGuard) -> None:
        if guard.requested is not None:
            self._tell("on_interrupt")
            raise Interrupted(guard.requested)

    def _train_epoch(self, loader: Any, guard: InterruptGuard) -> None:
        self.model.train()
        for x, target in loader:
            started = time.perf_counter()
            self._train_step(x, target)
            self.seconds += time.perf_counter() - started
            self._tell("on_step")
            self._heed(guard)

    def _train_step(self, x: Any, target: Any) -> None:
        output = self.model(x)
        loss = self.criterion(output, target)
        value = loss.item()
        if not math.isfinite(value):
            raise DivergedError(
                f"the loss is {value} at step {self.step + 1} (epoch {self.epoch + 1}). "
                "Try a smaller learning rate, or look for the cause with autograd.detect_anomaly()"
            )
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.step += 1
        self.loss.add(value * len(target), len(target))
        self.accuracy.add(count_right(output, target), len(target))

    def _finish_epoch(self, validation: Any) -> None:
        row: dict[str, Any] = {
            "epoch": self.epoch + 1,
            "step": self.step,
            "loss": self.loss.value,
            "accuracy": self.accuracy.value,
        }
        if validation is not None:
            row |= {f"val_{name}": value for name, value in self.evaluate(validation).items()}
            if not math.isfinite(row["val_loss"]):
                raise DivergedError(
                    f"the loss on held-out data is {row['val_loss']} after step {self.step} (epoch {self.epoch + 1}). "
                    "Try a smaller learning rate"
                )
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
        training = self.model.training
        self.model.eval()
        loss, accuracy = Average(), Average()
        try:
            with no_grad():
                for x, target in loader:
                    output = self.model(x)
                    loss.add(self.criterion(output, target).item() * len(target), len(target))
                    accuracy.add(count_right(output, target), len(target))
        finally:
            self.model.train(training)
        return {"loss": loss.value, "accuracy": accuracy.value}

    def _tell(self, event: str, *args: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self, *args)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the model's and the optimizer's state: position, history, schedule, random state."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "history": [dict(row) for row in self.history],
            "loss": self.loss.state_dict(),
            "accuracy": self.accuracy.state_dict(),
            "seconds": self.seconds,
            "scheduler": None if self.scheduler is None else self.scheduler.state_dict(),
            "loader": None if self.train_loader is None else self.train_loader.state_dict(),
            "random": random.get_rng_state(),
            "callbacks": {c.key: c.state_dict() for c in self.callbacks if c.key is not None},
        }

    def load_state_dict(self, state: dict[str, Any], train_loader: Any) -> None:
        """Continues from a state of `state_dict`; `train_loader` must be over the same data with the same settings.

        Raises StateDictError where something does not fit.
        """
        expected = self.state_dict().keys()
        if state.keys() != expected:
            raise StateDictError(f"Trainer: the state has {sorted(state)}, expected {sorted(expected)}")
        had, has = (x is not None for x in (state["scheduler"], self.scheduler))
        if had != has:
            words = {True: "a scheduler", False: "none"}
            raise StateDictError(f"Trainer: the saved run has {words[had]}, this one has {words[has]}")
        if state["loader"] is not None:
            train_loader.load_state_dict(state["loader"])
        if self.scheduler is not None:
            self.scheduler.load_state_dict(state["scheduler"])
        for callback in self.callbacks:
            if callback.key in state["callbacks"]:
                callback.load_state_dict(state["callbacks"][callback.key])
        random.set_rng_state(state["random"])
        self.epoch, self.step = state["epoch"], state["step"]
        self.history = [dict(row) for row in state["history"]]
        self.loss.load_state_dict(state["loss"])
        self.accuracy.load_state_dict(state["accuracy"])
        self.seconds = state["seconds"]
