"""Three classic series of numbers over time: for regression by recurrent networks."""

from __future__ import annotations

import csv
import os
from typing import Any, ClassVar

import numpy as np

from autograd_cnn.creation import as_tensor, from_numpy
from autograd_cnn.data.dataset import Dataset
from autograd_cnn.data.download import Progress, RemoteFile
from autograd_cnn.data.text import read_text
from autograd_cnn.errors import ArgumentError, DataError
from autograd_cnn.tensor import Tensor

_HOMES = ("https://raw.githubusercontent.com/jbrownlee/Datasets/d20fcb6402ae34e653d4513b00f39257bb37ed7f/",)


class TimeSeries(Dataset[Any]):
    """Windows of a series and the numbers that follow them.

    name: "airline-passengers" (144 months, thousands), "daily-min-temperatures" (3,650 days, degrees Celsius in
        Melbourne) or "monthly-sunspots" (2,820 months, Zurich).
    length: of a window.  horizon: how many numbers follow it.
    An item is (x, y): (length, 1) and (horizon, 1) float32.  `values` (N,) and `dates` have the whole series, which is
    as it was measured; scale it by the mean and deviation of what you train on, and split by time.
    root, download: as of `MNIST`; the folder is `timeseries`.
    Errors: `ArgumentError` for another name or a length below 1, `DataError` for files that are missing or damaged.
    Source: github.com/jbrownlee/Datasets; G. Box, G. Jenkins, Time series analysis, 1976.
    """

    files: ClassVar[dict[str, RemoteFile]] = {
        name: RemoteFile(f"{name}.csv", size, digest, _HOMES)
        for name, size, digest in (
            ("airline-passengers", 2_180, "8cb51be753a718d9be5d76d7e238cc224792754676adc21faa59e954b0201621"),
            ("daily-min-temperatures", 67_921, "8b9de63ed6789492bf497625e7f9beb96a63d367b4b0a21754006f749fa5e5da"),
            ("monthly-sunspots", 45_039, "c4ec8cc57d9f6fb6ecdb3e1f37f25b6f4badd5124c55931052b0cd2fc3bc71f3"),
        )
    }

    def __init__(
        self,
        name: str = "airline-passengers",
        root: str | os.PathLike[str] | None = None,
        length: int = 12,
        horizon: int = 1,
        download: bool = True,
        *,
        progress: Progress | None = None,
    ) -> None:
        if name not in self.files:
            raise ArgumentError(f"TimeSeries: there is no {name!r}; take {', '.join(self.files)}")
        if length < 1 or horizon < 1:
            raise ArgumentError(f"TimeSeries: length {length} and horizon {horizon} must be at least 1")
        self.name, self.length, self.horizon = name, length, horizon
        text = read_text(self.files[name], "timeseries", root, download, progress)
        try:
            rows = [(date, float(value)) for date, value in list(csv.reader(text.splitlines()))[1:]]
        except ValueError as error:
            raise DataError(f"{self.files[name].name}: a line is no date and number: {error}") from error
        self.dates = [date for date, _ in rows]
        self.values: Tensor = as_tensor(np.array([value for _, value in rows], np.float32))

    def __len__(self) -> int:
        return max(0, len(self.values) - self.length - self.horizon + 1)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        x, y = self.take_batch(np.array([range(len(self))[index]]))
        return x[0], y[0]

    def take_batch(self, indices: np.ndarray) -> list[Tensor]:
        places = np.asarray(indices)[:, None] + np.arange(self.length + self.horizon)
        windows = self.values.numpy()[places][..., None]
        x, y = (np.ascontiguousarray(part) for part in (windows[:, : self.length], windows[:, self.length :]))
        return [from_numpy(x), from_numpy(y)]

    def __repr__(self) -> str:
        return f"TimeSeries({self.name}: {len(self)} windows of {self.length})"
