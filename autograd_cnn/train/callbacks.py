"""What watches a training run: early stopping, the metrics file, checkpoints."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from autograd_cnn.durable import atomic_write
from autograd_cnn.errors import ArgumentError
from autograd_cnn.train.checkpoint import CheckpointStore
from autograd_cnn.train.trainer import Callback, DivergedError, Trainer


class EarlyStopping(Callback):
    """Stops when a value of the history has not become better for `patience` epochs.

    monitor: a column of the history; larger is better for those that end in "accuracy", smaller for the others.
    min_delta: what counts as better.

    >>> EarlyStopping("val_loss", patience=2).patience
    2
    """

    key = "early_stopping"

    def __init__(self, monitor: str = "val_accuracy", patience: int = 5, min_delta: float = 0.0) -> None:
        if patience < 1:
            raise ArgumentError(f"EarlyStopping: patience must be at least 1, got {patience}")
        self.monitor = monitor
        self.patience = patience
        self.min_delta = min_delta
        self.best: float | None = None
        self.waited = 0

    def on_start(self, trainer: Trainer) -> None:
        trainer.should_stop = self.waited >= self.patience  # a resumed run may have stopped already

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        if self.monitor not in row:
            raise ArgumentError(f"EarlyStopping: the history has no {self.monitor!r}; it has {', '.join(row)}")
        value = row[self.monitor] if self.monitor.endswith("accuracy") else -row[self.monitor]
        if self.best is None or value > self.best + self.min_delta:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
            trainer.should_stop = self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.waited = state["best"], state["waited"]


class MetricsFile(Callback):
    """Keeps the history in a CSV file, whole at every moment."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_start(self, trainer: Trainer) -> None:
        if trainer.history:  # a run that was killed may have written an epoch that is done again now
            self._write(trainer.history)

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        self._write(trainer.history)

    def _write(self, history: list[dict[str, Any]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
        atomic_write(self.path, text.getvalue().encode())


class Checkpoints(Callback):
    """Saves the run after every epoch, after every `every` steps, and when a signal stops it.

    A model with a parameter that is nan or inf is not saved: DivergedError, and the earlier checkpoints stay.
    """

    def __init__(self, store: CheckpointStore, every: int | None = None, extra: dict[str, Any] | None = None) -> None:
        if every is not None and every < 1:
            raise ArgumentError(f"Checkpoints: every must be at least 1, got {every}")
        self.store = store
        self.every = every
        self.extra = extra or {}
        self._saved: tuple[int, int] | None = None

    def save(self, trainer: Trainer) -> None:
        """Saves the run as it is now, unless just that has been done."""
        now = (trainer.epoch, trainer.step)
        if now == self._saved:
            return
        for name, parameter in trainer.model.named_parameters():
            if not np.isfinite(parameter.detach().numpy()).all():
                raise DivergedError(
                    f"{name} has values that are nan or inf after step {trainer.step} (epoch {now[0] + 1}). "
                    "Try a smaller learning rate"
                )
        state = {**self.extra, "trainer": trainer.state_dict()}
        self.store.save(trainer.step, trainer.model.state_dict(), trainer.optimizer.state_dict(), state)
        self._saved = now

    def on_step(self, trainer: Trainer) -> None:
        if self.every and trainer.step % self.every == 0:
            self.save(trainer)

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        self.save(trainer)

    def on_interrupt(self, trainer: Trainer) -> None:
        self.save(trainer)
