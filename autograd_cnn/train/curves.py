"""Learning curves as a picture."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograd_cnn.durable import atomic_write
from autograd_cnn.errors import ArgumentError, MissingDependencyError

_TRAINING, _HELD_OUT = "#0072B2", "#D55E00"  # told apart by the colour-blind too


def save_curves(history: Sequence[dict[str, Any]], path: str | os.PathLike[str], title: str = "") -> None:
    """Draws loss and accuracy over the epochs of a history into a file; its suffix chooses the format.

    Raises MissingDependencyError without matplotlib, ArgumentError for a format that it cannot write.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator, PercentFormatter
    except ImportError as error:
        raise MissingDependencyError('curves: need matplotlib: pip install "autograd_cnn[examples]"') from error
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    kind = Path(path).suffix[1:]
    formats = figure.canvas.get_supported_filetypes()
    if kind not in formats:
        raise ArgumentError(f"curves: cannot write {Path(path).name}; there is {', '.join(sorted(formats))}")
    epochs = [row["epoch"] for row in history]
    marker = "o" if len(history) <= 40 else ""
    for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        lines = [(name, "training", _TRAINING, "-"), (f"val_{name}", "held out", _HELD_OUT, "--")]
        for column, label, colour, style in lines:
            values = [row[column] for row in history if column in row]
            if values:
                best = (min if name == "loss" else max)(values)
                last = f"{values[-1]:.4f}, best {best:.4f}" if name == "loss" else f"{values[-1]:.2%}, best {best:.2%}"
                axes.plot(
                    epochs, values, color=colour, linestyle=style, marker=marker, markersize=3, label=f"{label}: {last}"
                )
        axes.set_xlabel("epoch")
        axes.set_title(name, loc="left", fontsize="medium")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
        if history:
            axes.legend(frameon=False, fontsize="small")
    loss, accuracy = figure.axes
    accuracy.yaxis.set_major_formatter(PercentFormatter(1))
    values = [row[name] for row in history for name in ("loss", "val_loss") if row.get(name, 0) > 0]
    if values and max(values) > 20 * min(values):
        loss.set_yscale("log")
    elif values:
        loss.set_ylim(bottom=0)
    if title:
        figure.suptitle(title, x=0.01, ha="left")
    picture = io.BytesIO()
    figure.savefig(picture, format=kind, dpi=144)
    atomic_write(path, picture.getvalue())
