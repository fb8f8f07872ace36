"""Dropout is as random as it should be: the share it keeps, the mean it keeps, and the stream it draws from."""

import numpy as np
import pytest
from guarded_memory import guarded, run_alone
from samples.dropout import stream

from autograd_cnn.creation import ones
from autograd_cnn.errors import InPlaceError
from autograd_cnn.kernels.cpu import random
from autograd_cnn.kernels.cpu.jit import GRAIN
from autograd_cnn.ops.dropout import dropout, dropout2d
from autograd_cnn.random import Generator, default_generator, get_rng_state, manual_seed, set_rng_state


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


TASK = random.WORDS * random.BITS  # numbers that one task draws
ALL_ONES = (2**32 - 1,) * 6
PI = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0)
KNOWN = [  # counter and key, and the words that the authors' library gives for them
    ((0,) * 6, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (ALL_ONES, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (PI, (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]


@pytest.mark.parametrize(("inputs", "words"), KNOWN)
def test_philox_gives_the_known_answers(inputs, words) -> None:
    assert tuple(map(int, random.philox(*map(np.uint64, inputs)))) == words


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 63, 64, 65, TASK + 17, GRAIN + 5])
@pytest.mark.parametrize("run", [1, 3])
def test_each_number_decides_on_a_run(count: int, run: int, dtype: type) -> None:
    x = np.random.default_rng(0).standard_normal((count, run)).astype(dtype)
    for p, key, block in ((0.3, 2**64 - 5, 0), (0.999, 7, 2**32 - 8), (1.0, 0, 2**40)):
        keep = stream(count, key, block) >= p
        expected = np.where(keep[:, None], x * dtype(1 / (1 - p) if p < 1 else 0), 0)
        mask, out, again = np.empty(-(-count // 32), np.int32), np.full_like(x, np.nan), np.full_like(x, np.nan)
        random.dropout(x, run, p, key, block, mask, out)
        np.testing.assert_array_equal(out, expected)
        assert (np.unpackbits(mask.view(np.uint8), bitorder="little")[:count] == keep).all()
        random.dropout_apply(x, mask, run, p, again)
        np.testing.assert_array_equal(again, expected)


def test_backward_drops_what_forward_dropped_and_keeps_a_bit_for_each() -> None:
    x = ones(40, 50, requires_grad=True)
    y = dropout(x, 0.4)
    assert [t.nbytes for t in y.grad_fn.saved] == [4 * -(-2000 // 32)]
    dropout(x, 0.4)  # the stream goes on meanwhile
    y.sum().backward()
    assert (x.grad == y).all()


def test_calls_draw_one_stream() -> None:
    manual_seed(11)
    first, second = dropout(ones(100), 0.5), dropout(ones(30), 0.5)
    numbers = stream(192, 11)
    assert ((first != 0).numpy() == (numbers[:100] >= 0.5)).all()
    assert ((second != 0).numpy() == (numbers[128:158] >= 0.5)).all()
    assert default_generator.position() == (11, 48)


def test_state_goes_on_where_it_was() -> None:
    manual_seed(3)
    dropout(ones(5))
    state = get_rng_state()
    first = dropout(ones(100))
    set_rng_state(state)
    assert (dropout(ones(100)) == first).all()
    del state["offset"]  # as in states of before there were blocks
    assert Generator().set_state(state).position() == (3, 0)


def test_same_bits_for_every_thread_count(same_bits) -> None:
    x = np.random.default_rng(1).standard_normal((8, 2 * TASK + 3)).astype(np.float32)

    def compute():
        results = []
        for run in (1, 8):
            mask, out, back = np.empty(-(-x.size // run // 32), np.int32), np.empty_like(x), np.empty_like(x)
            random.dropout(x, run, 0.3, 5, 9, mask, out)
            random.dropout_apply(x, mask, run, 0.3, back)
            results += [mask, out, back]
        return results

    same_bits(compute)


def in_guarded_memory() -> None:
    for side in ("before", "after"):
        for count, run in ((1, 1), (63, 1), (64, 2), (2 * TASK - 1, 1), (GRAIN + 1, 1), (TASK + 1, 20)):
            x = guarded(np.ones(count * run, np.float32), side)
            out = guarded(np.full(count * run, np.nan, np.float32), side)
            mask = guarded(np.empty(-(-count // 32), np.int32), side)
            random.dropout(x, run, 0.5, 1, 2, mask, out)
            expected = np.repeat(np.where(stream(count, 1, 2) >= 0.5, 2, 0), run)
            assert (out == expected).all()
            random.dropout_apply(x, mask, run, 0.5, out)
            assert (out == expected).all()


@pytest.mark.parametrize("check_bounds", [False, True])
def test_nothing_outside_the_arrays_is_touched(check_bounds: bool) -> None:
    child = run_alone("test_dropout", "in_guarded_memory", check_bounds)
    assert child.stdout == "finished\n", child.stderr
