"""How good predictions are."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, ShapeError


def _classes(op: str, predicted: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as flat arrays of class indices; scores (N, C) become the index of the largest."""
    p, t = (np.asarray(x.detach() if hasattr(x, "detach") else x) for x in (predicted, target))
    if p.ndim == t.ndim + 1:
        p = p.argmax(1)
    if p.shape != t.shape:
        raise ShapeError(f"{op}: predictions have shape {list(p.shape)}, targets {list(t.shape)}")
    return p.ravel(), t.ravel()


def accuracy(predicted: Any, target: Any) -> float:
    """The fraction of predictions that are right; `predicted` holds classes, or scores (N, C).

    >>> accuracy([0, 1, 1, 0], [0, 1, 0, 0])
    0.75
    """
    p, t = _classes("accuracy", predicted, target)
    return float((p == t).mean()) if t.size else float("nan")


def confusion_matrix(predicted: Any, target: Any, classes: int | None = None) -> np.ndarray:
    """How often class i (row) was taken for class j (column).

    >>> confusion_matrix([0, 1, 1, 0], [0, 1, 0, 0])
    array([[2, 1],
           [0, 1]])
    """
    p, t = _classes("confusion_matrix", predicted, target)
    largest = int(max(p.max(initial=-1), t.max(initial=-1)))
    count = largest + 1 if classes is None else classes
    if largest >= count or min(p.min(initial=0), t.min(initial=0)) < 0:
        raise ArgumentError(f"confusion_matrix: classes must lie in [0, {count}), found {largest}")
    matrix = np.zeros((count, count), np.int64)
    np.add.at(matrix, (t, p), 1)
    return matrix


def precision_recall_f1(predicted: Any, target: Any, classes: int | None = None) -> dict[str, np.ndarray]:
    """Per class: precision TP / (TP + FP), recall TP / (TP + FN) and their harmonic mean; 0 where undefined.

    >>> precision_recall_f1([0, 1, 1, 0], [0, 1, 0, 0])["recall"].round(2).tolist()
    [0.67, 1.0]
    """
    matrix = confusion_matrix(predicted, target, classes)
    right = np.diag(matrix).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.nan_to_num(right / matrix.sum(0))
        recall = np.nan_to_num(right / matrix.sum(1))
        f1 = np.nan_to_num(2 * precision * recall / (precision + recall))
    return {"precision": precision, "recall": recall, "f1": f1}


class Average:
    """A mean that grows sample by sample.

    >>> mean = Average()
    >>> mean.add(2.0, count=3); mean.add(6.0, count=1)
    >>> mean.value
    3.0
    """

    def __init__(self) -> None:
        self.total = 0.0
        self.count = 0

    def add(self, value: float, count: int = 1) -> None:
        self.total += value * count
        self.count += count

    @property
    def value(self) -> float:
        return self.total / self.count if self.count else float("nan")

    def state_dict(self) -> dict[str, Any]:
        return {"total": self.total, "count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.total, self.count = state["total"], state["count"]
