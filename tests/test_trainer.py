"""Trainer and its callbacks: what they count, when they stop, what they leave behind."""

from __future__ import annotations

import csv
import io
import math
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import autograd_cnn as ag
from autograd_cnn import nn, optim
from autograd_cnn.data import XOR, DataLoader, TensorDataset
from autograd_cnn.errors import ArgumentError, MissingDependencyError, StateDictError
from autograd_cnn.train import CheckpointStore
from autograd_cnn.train.callbacks import Checkpoints, EarlyStopping, MetricsFile
from autograd_cnn.train.curves import save_curves
from autograd_cnn.train.interrupt import InterruptGuard
from autograd_cnn.train.progress import ProgressBar
from autograd_cnn.train.trainer import Callback, DivergedError, Interrupted, Trainer

RNG = np.random.default_rng(2)
X = RNG.standard_normal((10, 3)).astype(np.float32)
Y = RNG.integers(0, 2, 10)


def trainer_for(*callbacks: Callback, lr: float = 0.1, scheduler: Any = None) -> Trainer:
    ag.manual_seed(3)
    model = nn.Linear(3, 2)
    optimizer = optim.SGD(model.parameters(), lr)
    schedule = None if scheduler is None else scheduler(optimizer)
    return Trainer(model, optimizer, nn.CrossEntropyLoss(), scheduler=schedule, callbacks=callbacks)


def batches(size: int = 4) -> DataLoader:
    return DataLoader(TensorDataset(X, Y), size, seed=1, shuffle=True)


class Script(Callback):
    """Does something in each event; takes down the order of all."""

    def __init__(self, **actions: Any) -> None:
        self.actions = actions
        self.events: list[str] = []

    def _act(self, event: str, trainer: Trainer) -> None:
        self.events.append(event)
        self.actions.get(event, lambda _: None)(trainer)

    def on_start(self, trainer: Trainer) -> None:
        self._act("start", trainer)

    def on_step(self, trainer: Trainer) -> None:
        self._act("step", trainer)

    def on_epoch(self, trainer: Trainer, row: dict[str, Any]) -> None:
        self._act("epoch", trainer)

    def on_interrupt(self, trainer: Trainer) -> None:
        self._act("interrupt", trainer)

    def on_end(self, trainer: Trainer) -> None:
        self._act("end", trainer)


def test_two_steps_are_those_of_a_loop_by_hand() -> None:
    trainer = trainer_for(lr=0.5)
    loader = DataLoader(TensorDataset(X, Y), 5)
    weight, bias = (p.detach().numpy().astype(np.float64) for p in trainer.model.parameters())
    losses, right = [], 0
    for x, y in ((X[:5], Y[:5]), (X[5:], Y[5:])):
        scores = x @ weight.T + bias
        p = np.exp(scores - scores.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        losses.append(-np.log(p[np.arange(5), y]).mean())
        right += (scores.argmax(1) == y).sum()
        g = (p - np.eye(2)[y]) / 5
        weight, bias = weight - 0.5 * g.T @ x, bias - 0.5 * g.sum(0)
    [row] = trainer.fit(loader)
    for found, expected in zip(trainer.model.parameters(), (weight, bias), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-5)
    assert row["loss"] == pytest.approx(np.mean(losses), rel=1e-5)
    assert row["accuracy"] == right / 10
    assert (row["epoch"], row["step"]) == (1, 2)


def test_validation_counts_samples_not_batches_and_trains_nothing() -> None:
    trainer = trainer_for()
    trainer.model.train()
    before = [p.detach().numpy().copy() for p in trainer.model.parameters()]
    by_ones, at_once, unequal = (trainer.evaluate(DataLoader(TensorDataset(X, Y), n)) for n in (1, 10, 7))
    assert by_ones["accuracy"] == at_once["accuracy"] == unequal["accuracy"]
    assert unequal["loss"] == pytest.approx(at_once["loss"], rel=1e-6) == pytest.approx(by_ones["loss"], rel=1e-6)
    assert trainer.model.training
    for p, old in zip(trainer.model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), old)
        assert p.grad is None


def test_the_order_of_events() -> None:
    script = Script()
    trainer_for(script).fit(batches(5), epochs=2)
    assert script.events == ["start", *["step", "step", "epoch"] * 2, "end"]


def test_the_schedule_steps_once_an_epoch() -> None:
    trainer = trainer_for(scheduler=lambda o: optim.lr_scheduler.ExponentialLR(o, 0.5), lr=1.0)
    assert [row["lr"] for row in trainer.fit(batches(), epochs=3)] == [1, 0.5, 0.25]


def test_fit_goes_on_to_more_epochs() -> None:
    whole, parts = trainer_for(), trainer_for()
    whole.fit(batches(), epochs=4)
    loader = batches()
    parts.fit(loader, epochs=1)
    parts.fit(loader, epochs=4)
    assert [row["loss"] for row in whole.history] == [row["loss"] for row in parts.history]


@pytest.mark.parametrize("number", InterruptGuard.SIGNALS)
@pytest.mark.parametrize("where", ["start", "step", "epoch"])
def test_the_first_signal_lets_the_step_finish(where: str, number: signal.Signals, capfd) -> None:
    script = Script(**{where: lambda _: signal.raise_signal(number)})
    trainer = trainer_for(script)
    trainer.interrupt_notice = "stopping"
    handlers = [signal.getsignal(n) for n in InterruptGuard.SIGNALS]
    with pytest.raises(Interrupted) as caught:
        trainer.fit(batches(5), epochs=9)
    assert caught.value.signal == number
    assert (
        script.events
        == {
            "start": ["start", "step", "interrupt", "end"],
            "step": ["start", "step", "interrupt", "end"],
            "epoch": ["start", "step", "step", "epoch", "interrupt", "end"],
        }[where]
    )
    assert trainer.step == script.events.count("step")
    assert [signal.getsignal(n) for n in InterruptGuard.SIGNALS] == handlers
    assert capfd.readouterr().err == "\nstopping\n"


def test_the_second_signal_stops_at_once() -> None:
    def twice(_: Trainer) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    script = Script(step=twice)
    with pytest.raises(KeyboardInterrupt):
        trainer_for(script).fit(batches(5))
    assert script.events == ["start", "step", "end"]


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        trainer_for(Script(step=lambda _: signal.raise_signal(signal.SIGTERM))).fit(batches())
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_training_in_another_thread() -> None:
    trainer = trainer_for()
    thread = threading.Thread(target=trainer.fit, args=(batches(),))
    thread.start()
    thread.join()
    assert trainer.epoch == 1


def test_a_loss_that_is_none_stops_before_it_spoils_the_parameters(tmp_path: Path) -> None:
    loader = DataLoader(TensorDataset(np.concatenate([X[:8], X[:4] * np.float32(np.nan)]), [0, 1] * 6), 4)
    store = CheckpointStore(tmp_path)
    trainer = trainer_for(Checkpoints(store, every=1))
    with pytest.raises(DivergedError, match=r"the loss is nan at step 3 \(epoch 1\)"):
        trainer.fit(loader)
    assert trainer.step == store.latest() == 2
    for name, saved in store.load().model.items():
        assert np.isfinite(saved).all()
        np.testing.assert_array_equal(saved, trainer.model.state_dict()[name].numpy())


def test_a_loss_on_held_out_data_that_is_none(tmp_path: Path) -> None:
    store = CheckpointStore(tmp_path)
    bad = DataLoader(TensorDataset(X * np.float32(np.inf), Y), 4)
    with pytest.raises(DivergedError, match=r"held-out data is nan after step 3 \(epoch 1\)"):
        trainer_for(Checkpoints(store)).fit(batches(), bad)
    assert store.latest() is None


def test_parameters_that_are_none_are_not_saved(tmp_path: Path) -> None:
    def spoil(trainer: Trainer) -> None:
        if trainer.step == 2:
            trainer.model.weight.detach().numpy()[0, 0] = np.inf

    store = CheckpointStore(tmp_path)
    with pytest.raises(DivergedError, match="weight has values that are nan or inf after step 2"):
        trainer_for(Script(step=spoil), Checkpoints(store, every=1)).fit(batches())
    assert store.latest() == 1


@pytest.mark.parametrize(
    ("monitor", "values", "stops_after"),
    [
        ("val_accuracy", [0.1, 0.2, 0.2, 0.1, 0.9], 4),
        ("val_accuracy", [0.1, 0.2, 0.1, 0.3, 0.1, 0.1], 6),
        ("val_loss", [3, 2, 2.5, 2.1, 1], 4),
        ("val_loss", [3, 2, 1, 0.5], None),
    ],
)
def test_early_stopping(monitor: str, values: list[float], stops_after: int | None) -> None:
    stopping, trainer = EarlyStopping(monitor, patience=2), trainer_for()
    stopped = None
    for epoch, value in enumerate(values, 1):
        stopping.on_epoch(trainer, {monitor: value})
        if trainer.should_stop:
            stopped = epoch
            break
    assert stopped == stops_after


def test_early_stopping_ends_the_run_and_stays_ended() -> None:
    trainer = trainer_for(EarlyStopping("loss", patience=1, min_delta=1e9))
    assert len(trainer.fit(batches(), epochs=50)) == 2
    assert len(trainer.fit(batches(), epochs=50)) == 2


def test_early_stopping_needs_its_column() -> None:
    with pytest.raises(ArgumentError, match="no 'val_loss'; it has epoch, step, loss"):
        trainer_for(EarlyStopping("val_loss")).fit(batches())
    with pytest.raises(ArgumentError, match="patience must be at least 1, got 0"):
        EarlyStopping(patience=0)


def test_the_metrics_file_is_the_history(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    history = trainer_for(MetricsFile(path)).fit(batches(), batches(), epochs=3)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [{name: float(value) for name, value in row.items()} for row in rows] == history


def test_bad_arguments() -> None:
    trainer = trainer_for()
    with pytest.raises(ArgumentError, match="epochs must be at least 1, got 0"):
        trainer.fit(batches(), epochs=0)
    with pytest.raises(ArgumentError, match="no batches"):
        trainer.fit(DataLoader(TensorDataset(X[:2], Y[:2]), 4, drop_last=True))
    with pytest.raises(ArgumentError, match="every must be at least 1, got 0"):
        Checkpoints(CheckpointStore("nowhere"), every=0)


def test_a_state_that_does_not_fit() -> None:
    loader = batches()
    trainer = trainer_for()
    trainer.fit(loader)
    state = trainer.state_dict()
    scheduled = trainer_for(scheduler=lambda o: optim.lr_scheduler.ExponentialLR(o, 0.5))
    with pytest.raises(StateDictError, match="the saved run has none, this one has a scheduler"):
        scheduled.load_state_dict(state, batches())
    with pytest.raises(StateDictError, match="batch_size was 4 when saved, is 5 now"):
        trainer_for().load_state_dict(state, batches(5))
    with pytest.raises(StateDictError, match=r"the state has .* expected"):
        trainer_for().load_state_dict({"epoch": 1}, batches())


def test_the_bar_on_a_terminal_and_the_lines_elsewhere() -> None:
    for live, width in ((True, 120), (True, 30), (False, 80)):
        screen = io.StringIO()
        console = Console(file=screen, force_terminal=live, width=width)
        bar = ProgressBar(console)
        bar.note("compiling linear")
        history = trainer_for(bar).fit(batches(), batches(), epochs=2)
        text = screen.getvalue()
        assert ("\x1b[" in text) == live
        assert f"{history[-1]['val_accuracy']:.2%}" in text
        if live:
            assert "epoch 1/2" in text
        else:
            assert len(text.splitlines()) == 2
            assert text.splitlines()[1].startswith("epoch 2/2  loss")


@pytest.mark.parametrize(("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_curves(tmp_path: Path, ending: str, magic: bytes) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / f"curves.{ending}"
    history = trainer_for().fit(batches(), batches(), epochs=2)
    save_curves(history, path, "a title")
    assert path.read_bytes().startswith(magic)
    if ending == "svg":
        save_curves(trainer_for().fit(batches()), path)  # nothing held out, one epoch
        save_curves([], path)
    with pytest.raises(ArgumentError, match=r"cannot write curves\.abc; there is .*png"):
        save_curves(history, tmp_path / "curves.abc")


def test_curves_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match=r"autograd_cnn\[examples\]"):
        save_curves([], tmp_path / "curves.png")


def test_xor_is_solved() -> None:
    ag.manual_seed(1)
    model = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))
    history = Trainer(model, optim.Adam(model.parameters(), 0.05), nn.CrossEntropyLoss()).fit(
        DataLoader(XOR(), 4), epochs=200
    )
    assert history[-1]["accuracy"] == 1
    assert history[-1]["loss"] < 0.05
    assert math.isfinite(history[-1]["images_per_second"])
