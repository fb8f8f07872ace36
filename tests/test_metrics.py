"""Metrics: against scikit-learn, and at the edges."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, DTypeError, ShapeError
from autograd_cnn.train.metrics import Average, accuracy, confusion_matrix, count_right, precision_recall_f1

RNG = np.random.default_rng(5)
CASES = {
    "two classes": (RNG.integers(0, 2, 50), RNG.integers(0, 2, 50)),
    "ten classes": (RNG.integers(0, 10, 400), RNG.integers(0, 10, 400)),
    "never predicted": (RNG.integers(0, 3, 60), RNG.integers(0, 5, 60)),
    "never there": (RNG.integers(0, 5, 60), RNG.integers(0, 3, 60)),
    "all right": (np.arange(7), np.arange(7)),
    "all wrong": (np.arange(7), (np.arange(7) + 1) % 7),
    "one sample": (np.array([2]), np.array([0])),
}


@pytest.mark.parametrize(("predicted", "target"), CASES.values(), ids=CASES)
def test_as_scikit_learn(predicted: np.ndarray, target: np.ndarray) -> None:
    oracle = pytest.importorskip("sklearn.metrics")
    classes = int(max(predicted.max(), target.max())) + 1
    matrix = confusion_matrix(predicted, target)
    np.testing.assert_array_equal(matrix, oracle.confusion_matrix(target, predicted, labels=range(classes)))
    assert accuracy(predicted, target) == pytest.approx(oracle.accuracy_score(target, predicted))
    expected = oracle.precision_recall_fscore_support(target, predicted, labels=range(classes), zero_division=0)
    found = precision_recall_f1(predicted, target)
    for name, values in zip(("precision", "recall", "f1"), expected, strict=False):
        np.testing.assert_allclose(found[name], values, rtol=1e-12, err_msg=name)


def test_scores_count_by_their_largest() -> None:
    scores = RNG.standard_normal((40, 6)).astype(np.float32)
    target = RNG.integers(0, 6, 40)
    expected = (scores.argmax(1) == target).mean()
    assert accuracy(scores, target) == expected
    assert accuracy(ag.from_numpy(scores).requires_grad_(), ag.from_numpy(target)) == expected
    assert count_right(ag.from_numpy(scores), ag.from_numpy(target)) == round(expected * 40)
    np.testing.assert_array_equal(confusion_matrix(scores, target), confusion_matrix(scores.argmax(1), target))


def test_classes_that_do_not_occur_have_rows_and_columns() -> None:
    matrix = confusion_matrix([0, 1], [0, 1], classes=4)
    assert matrix.shape == (4, 4)
    assert matrix.sum() == 2
    assert precision_recall_f1([0, 1], [0, 1], classes=4)["f1"].tolist() == [1, 1, 0, 0]


def test_no_samples() -> None:
    nothing = np.zeros(0, np.int64)
    assert np.isnan(accuracy(nothing, nothing))
    assert count_right(np.zeros((0, 3)), nothing) == 0
    assert confusion_matrix(nothing, nothing, classes=2).tolist() == [[0, 0], [0, 0]]
    assert np.isnan(Average().value)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: accuracy([0, 1], [0, 1, 2]), ShapeError, r"accuracy: .*\[2\], targets \[3\]"),
        (lambda: accuracy([0.5, 1.0], [0, 1]), DTypeError, "predicted must hold class indices, got float64"),
        (lambda: confusion_matrix([0, 3], [0, 1], classes=3), ArgumentError, r"in \[0, 3\), found 3"),
        (lambda: confusion_matrix([0, -1], [0, 1]), ArgumentError, r"in \[0, 2\), found -1"),
    ],
)
def test_bad_input(call, error, message) -> None:
    with pytest.raises(error, match=message):
        call()


def test_an_average_continues_from_its_state() -> None:
    whole, first, second = Average(), Average(), Average()
    for total, count in ((0.1, 3), (0.7, 5)):
        whole.add(total, count)
    first.add(0.1, 3)
    second.load_state_dict(first.state_dict())
    second.add(0.7, 5)
    assert second.value == whole.value == pytest.approx(0.8 / 8)
