"""How good predictions are."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError


def _array(x: Any) -> np.ndarray:
    return np.asarray(x.detach().numpy() if hasattr(x, "detach") else x)


def _classes(op: str, predicted: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as flat arrays of class indices; scores (N, C) become the index of the largest."""
    p, t = _array(predicted), _array(target)
    if p.ndim == t.ndim + 1:
        p = p.argmax(1) if p.size else np.zeros(t.shape, np.int64)
    if p.shape != t.shape:
        raise ShapeError(f"{op}: predictions have shape {list(p.shape)}, targets {list(t.shape)}")
    for name, classes in (("predicted", p), ("target", t)):
        if classes.size and classes.dtype.kind not in "iub":
            raise DTypeError(f"{op}: {name} must hold class indices, got {classes.dtype}")
    return p.ravel(), t.ravel()


def accuracy(predicted: Any, target: Any) -> float:
    """The fraction of predictions that are right; nan where there are none.

    predicted: classes (N,), or scores (N, C) of which the largest counts; target: classes (N,)

    >>> accuracy([0, 1, 1, 0], [0, 1, 0, 0])
    0.75
    """
    p, t = _classes("accuracy", predicted, target)
    return float((p == t).mean()) if t.size else float("nan")


def count_right(predicted: Any, target: Any) -> int:
    """The number of predictions that are right; arguments as of `accuracy`.

    >>> count_right([[0.9, 0.1], [0.2, 0.8]], [0, 0])
    1
    """
    p, t = _classes("count_right", predicted, target)
    return int((p == t).sum())


def confusion_matrix(predicted: Any, target: Any, classes: int | None = None) -> np.ndarray:
    """How often class i (row) was taken for class j (column).

    classes: how many there are; as many as occur unless given.  Errors: `ArgumentError` for one outside of them.

    >>> confusion_matrix([0, 1, 1, 0], [0, 1, 0, 0])
    array([[2, 1],
           [0, 1]])
    """
    p, t = (x.astype(np.int64) for x in _classes("confusion_matrix", predicted, target))
    smallest = int(min(p.min(initial=0), t.min(initial=0)))
    largest = int(max(p.max(initial=-1), t.max(initial=-1)))
    count = largest + 1 if classes is None else classes
    if smallest < 0 or largest >= count:
        found = smallest if smallest < 0 else largest
        raise ArgumentError(f"confusion_matrix: classes must lie in [0, {count}), found {found}")
    return np.bincount(t * count + p, minlength=count * count).reshape(count, count)


def precision_recall_f1(predicted: Any, target: Any, classes: int | None = None) -> dict[str, np.ndarray]:
    """Per class: precision TP / (TP + FP), recall TP / (TP + FN) and their harmonic mean; 0 where undefined.

    >>> precision_recall_f1([0, 1, 1, 0], [0, 1, 0, 0])["recall"].round(2).tolist()
    [0.67, 1.0]
    """
    matrix = confusion_matrix(predicted, target, classes)
    right = np.diag(matrix)
    predictions, targets = matrix.sum(0), matrix.sum(1)
    return {
        "precision": _ratio(right, predictions),
        "recall": _ratio(right, targets),
        "f1": _ratio(2 * right, predictions + targets),
    }


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    result = np.zeros(len(part))
    np.divide(part, whole, out=result, where=whole != 0)
    return result


class Average:
    """A mean that grows batch by batch.

    >>> mean = Average()
    >>> mean.add(6.0, count=3); mean.add(6.0)
    >>> mean.value
    3.0
    """

    def __init__(self) -> None:
        self.total = 0.0
        self.count = 0

    def add(self, total: float, count: int = 1) -> None:
        """Takes in the sum of `count` values."""
        self.total += total
        self.count += count

    @property
    def value(self) -> float:
        return self.total / self.count if self.count else float("nan")

    def state_dict(self) -> dict[str, Any]:
        return {"total": self.total, "count": self.count}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.total, self.count = state["total"], state["count"]
