"""Dropout is as random as it should be: the share it keeps, the mean it keeps, and the stream it draws from."""

import numpy as np
import pytest

from autograd_cnn.creation import ones
from autograd_cnn.errors import InPlaceError
from autograd_cnn.ops.dropout import dropout, dropout2d
from autograd_cnn.random import get_rng_state, manual_seed


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_share_and_mean(p: float) -> None:
    n = 100_000
    y = dropout(ones(n), p).numpy()
    kept = np.count_nonzero(y) / n
    assert abs(kept - (1 - p)) < 5 * np.sqrt(p * (1 - p) / n)
    assert np.unique(y).tolist() == [0.0, np.float32(1 / (1 - p))]


def test_masks_follow_the_seed_and_differ_between_calls() -> None:
    x = ones(1000)
    manual_seed(5)
    first, second = dropout(x).tolist(), dropout(x).tolist()
    manual_seed(5)
    assert first == dropout(x).tolist()
    assert first != second


def test_whole_channels_drop() -> None:
    y = dropout2d(ones(20, 30, 3, 3), 0.5).numpy()
    assert set(y.sum(axis=(2, 3)).ravel()) == {0.0, 18.0}


def test_evaluation_draws_nothing() -> None:
    before = get_rng_state()
    dropout(ones(3), 0.5, training=False)
    dropout(ones(3), 0.0)
    assert get_rng_state() == before


def test_refused_in_place_change_draws_nothing() -> None:
    before = get_rng_state()
    with pytest.raises(InPlaceError):
        dropout(ones(3, requires_grad=True), 0.5, inplace=True)
    assert get_rng_state() == before
