"""Learning curves as a picture."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograd_cnn.durable import atomic_write
from autograd_cnn.errors import MissingDependencyError


def save_curves(history: Sequence[dict[str, Any]], path: str | os.PathLike[str], title: str = "") -> None:
    """Draws loss and accuracy over the epochs of a history into a file; its suffix chooses the format.

    Raises MissingDependencyError without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator, PercentFormatter
    except ImportError as error:
        raise MissingDependencyError('curves: need matplotlib: pip install "autograd_cnn[examples]"') from error
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        axes.plot(epochs, [row[name] for row in history], color="#0072B2", marker=".", label="training")
        if history and f"val_{name}" in history[0]:
            held_out = [row[f"val_{name}"] for row in history]
            axes.plot(epochs, held_out, color="#D55E00", marker=".", linestyle="--", label="held out")
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    if history:
        figure.axes[0].set_ylim(bottom=0)
        figure.axes[1].yaxis.set_major_formatter(PercentFormatter(1))
    if title:
        figure.suptitle(title)
    picture = io.BytesIO()
    figure.savefig(picture, format=Path(path).suffix[1:], dpi=144)
    atomic_write(path, picture.getvalue())
