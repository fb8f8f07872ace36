"""Progress of a training run: a live bar on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from autograd_cnn.train.trainer import Callback, Trainer


class ProgressBar(Callback):
    """Shows epoch, loss, accuracy, images a second and the time that is left."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live = console.is_terminal
        self._progress: Progress | None = None
        self._note = ""
        self._recent: deque[tuple[float, int]] = deque(maxlen=50)  # when a step was done, images so far

    def on_start(self, trainer: Trainer) -> None:
        if not self.live:
            return
        self._progress = Progress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4)),
            TextColumn("{task.fields[figures]}", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True),
            TextColumn("[dim]{task.fields[note]}", table_column=Column(no_wrap=True, max_width=36)),
            console=self.console,
            expand=True,
            transient=True,
        )
        total = len(trainer.train_loader) * trainer.epochs
        self._task = self._progress.add_task(
            self._epoch(trainer), total=total, completed=trainer.step, figures="", note=self._note
        )
        self._progress.start()

    def note(self, text: str) -> None:
        """Something to say beside the bar until the next step is done, such as what is being compiled."""
        self._note = text
        if self._progress is not None:
            self._progress.update(self._task, note=text)

    def on_step(self, trainer: Trainer) -> None:
        if self._progress is None:
            return
        self._recent.append((time.perf_counter(), trainer.loss.count))
        self._note = ""
        self._progress.update(
            self._task,
            completed=trainer.step,
            description=self._epoch(trainer),
            figures=self._figures(trainer),
            note="",
        )

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        text = f"epoch {row['epoch']:>{len(str(trainer.epochs))}}/{trainer.epochs}"
        text += f"  loss {_loss(row['loss'])}  accuracy {row['accuracy']:7.2%}"
        if "val_loss" in row:
            text += f"  |  held out: loss {_loss(row['val_loss'])}  accuracy {row['val_accuracy']:7.2%}"
        text += f"  |  {row['images_per_second']:,.0f} images/s"
        self.console.print(text, highlight=False, soft_wrap=not self.live)
        self._recent.clear()

    def on_end(self, trainer: Trainer) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def _epoch(self, trainer: Trainer) -> str:
        return f"epoch {min(trainer.epoch + 1, trainer.epochs)}/{trainer.epochs}"

    def _figures(self, trainer: Trainer) -> str:
        """As much as there is room for, what matters most first."""
        figures = [f"loss {_loss(trainer.loss.value)}", f"accuracy {trainer.accuracy.value:6.1%}"]
        (began, first), (now, last) = self._recent[0], self._recent[-1]
        if last > first:
            figures.append(f"{(last - first) / (now - began):6,.0f} images/s")
        room = max(1, min(3, (self.console.width - 25) // 16))
        return "  ".join(figures[:room])


def _loss(value: float) -> str:
    return f"{value:.4f}" if value < 1e4 else f"{value:.3e}"
