"""A run that is cut anywhere and taken up from its checkpoint ends with the bits of the run that was not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_cnn import nn, optim
from autograd_cnn.data import DataLoader, ImageDataset, transforms
from autograd_cnn.errors import CheckpointError
from autograd_cnn.random import get_rng_state, manual_seed, set_rng_state
from autograd_cnn.serialize import load
from autograd_cnn.train import CheckpointStore
from autograd_cnn.train.job import Job, Settings, settings_for
from autograd_cnn.train.trainer import Callback, Interrupted, Trainer

STEPS = 12
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda parameters: optim.SGD(parameters, lr=0.1, momentum=0.9, nesterov=True, weight_decay=1e-3),
    "Adam": lambda parameters: optim.Adam(parameters, lr=0.01),
    "AdamW": lambda parameters: optim.AdamW(parameters, lr=0.01),
    "RMSprop": lambda parameters: optim.RMSprop(parameters, lr=0.01, momentum=0.5, centered=True),
}
SCHEDULERS: dict[str, Callable[[Any], Any]] = {
    "StepLR": lambda optimizer: optim.lr_scheduler.StepLR(optimizer, step_size=2),
    "ExponentialLR": lambda optimizer: optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9),
    "CosineAnnealingLR": lambda optimizer: optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=7),
}


class Run:
    """A small classifier with dropout, augmented images and a schedule: everything that has a state."""

    def __init__(self, optimizer: str, scheduler: str, prefetch: int) -> None:
        manual_seed(1)
        images = np.random.default_rng(0).integers(0, 256, (20, 4, 4), np.uint8)
        flip = transforms.Compose([transforms.RandomHorizontalFlip(), transforms.ToTensor()])
        data = ImageDataset(images, np.arange(20) % 3, "abc", flip)
        self.loader = DataLoader(data, batch_size=4, shuffle=True, prefetch=prefetch)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Dropout(0.3), nn.Linear(8, 3))
        self.optimizer = OPTIMIZERS[optimizer](self.net.parameters())
        self.scheduler = SCHEDULERS[scheduler](self.optimizer)
        self.step = 0
        self.losses: list[float] = []

    def train(self, until: int) -> None:
        while self.step < until:
            for images, targets in self.loader:
                self.optimizer.zero_grad()
                loss = nn.functional.cross_entropy(self.net(images), targets)
                loss.backward()
                self.optimizer.step()
                self.scheduler.step()
                self.losses.append(loss.item())
                self.step += 1
                if self.step == until:
                    return

    def save(self, store: CheckpointStore) -> None:
        state = {
            "loader": self.loader.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "random": get_rng_state(),
            "losses": self.losses,
        }
        store.save(self.step, self.net.state_dict(), self.optimizer.state_dict(), state)

    def load(self, store: CheckpointStore) -> None:
        found = store.load()
        self.net.load_state_dict(found.model)
        self.optimizer.load_state_dict(found.optim)
        self.scheduler.load_state_dict(found.state["scheduler"])
        self.loader.load_state_dict(found.state["loader"])
        self.losses = found.state["losses"]
        self.step = found.step
        set_rng_state(found.state["random"])

    def outcome(self) -> tuple[list[bytes], list[float]]:
        return [tensor.numpy().tobytes() for tensor in self.net.state_dict().values()], self.losses


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_cut_at_every_step(tmp_path: Path, optimizer: str, scheduler: str) -> None:
    whole = Run(optimizer, scheduler, prefetch=0)
    whole.train(STEPS)
    for cut in range(STEPS):
        store = CheckpointStore(tmp_path / str(cut))
        first = Run(optimizer, scheduler, prefetch=cut % 3)
        first.train(cut)
        first.save(store)
        second = Run(optimizer, scheduler, prefetch=(cut + 1) % 3)
        manual_seed(999)
        second.load(store)
        second.train(STEPS)
        assert second.outcome() == whole.outcome(), f"cut after {cut} steps"


# The job behind `autograd-cnn train`, with everything that has a state: augmentation, momentum, a schedule, patience.

JOB = {
    "batch_size": 400,
    "epochs": 3,
    "optimizer": "sgd",
    "lr": 0.2,
    "scheduler": "cosine",
    "augment": True,
    "patience": 2,
    "checkpoint_every": 2,
}
JOB_STEPS = 3 * 4
TIMINGS = ("seconds", "images_per_second")


def settings(**changed: Any) -> Settings:
    pytest.importorskip("sklearn")
    return settings_for("perceptron", "digits", **JOB | changed)


class SignalAt(Callback):
    """Sends its own process a signal after a step."""

    def __init__(self, step: int, number: int) -> None:
        self.step = step
        self.number = number

    def on_step(self, trainer: Trainer) -> None:
        if trainer.step == self.step:
            os.kill(os.getpid(), self.number)


def job_outcome(folder: Path, job: Job) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    weights = {name: tensor.numpy().tobytes() for name, tensor in load(folder / "model.safetensors").items()}
    rows = [{name: value for name, value in row.items() if name not in TIMINGS} for row in job.trainer.history]
    return weights, rows


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("whole")
    job = Job.new(settings(), folder)
    job.run()
    assert job.trainer.step == JOB_STEPS
    return job_outcome(folder, job)


@pytest.mark.parametrize("cut", range(1, JOB_STEPS + 1))
def test_a_job_interrupted_after_any_step(tmp_path: Path, whole: Any, cut: int) -> None:
    number = signal.SIGTERM if cut % 2 else signal.SIGINT
    with pytest.raises(Interrupted):
        Job.new(settings(), tmp_path, callbacks=(SignalAt(cut, number),)).run()
    manual_seed(999)
    resumed = Job.resume(tmp_path, {})
    assert resumed.resumed_from == cut
    resumed.run()
    assert job_outcome(tmp_path, resumed) == whole


def test_a_job_interrupted_after_every_step(tmp_path: Path, whole: Any) -> None:
    job = Job.new(settings(), tmp_path, callbacks=(SignalAt(1, signal.SIGINT),))
    for step in range(2, JOB_STEPS + 1):
        with pytest.raises(Interrupted):
            job.run()
        job = Job.resume(tmp_path, {}, callbacks=(SignalAt(step, signal.SIGINT),))
    with pytest.raises(Interrupted):
        job.run()
    job = Job.resume(tmp_path, {})
    job.run()
    assert job_outcome(tmp_path, job) == whole


KILLED = """
import os, signal, sys
from autograd_cnn.train.job import Job, Settings
from test_resume import SignalAt, settings
folder, step = sys.argv[1], int(sys.argv[2])
killer = SignalAt(step, signal.SIGKILL)
job = Job.resume(folder, {}, callbacks=(killer,)) if os.path.isdir(folder) else Job.new(
    settings(), folder, callbacks=(killer,)
)
job.run()
"""


@pytest.mark.timeout(180)
def test_a_job_killed_again_and_again(tmp_path: Path, whole: Any) -> None:
    folder = tmp_path / "run"
    for step in (3, 6, 11):  # between checkpoints, at the end of a step with one, between checkpoints
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
        command = [sys.executable, "-c", KILLED, str(folder), str(step)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == -signal.SIGKILL, done.stderr
    job = Job.resume(folder, {})
    assert job.resumed_from == 10
    job.run()
    assert job_outcome(folder, job) == whole


def test_a_finished_job_stays_as_it_is(tmp_path: Path, whole: Any) -> None:
    Job.new(settings(), tmp_path).run()
    metrics = (tmp_path / "metrics.csv").read_bytes()
    (tmp_path / "model.safetensors").unlink()
    again = Job.resume(tmp_path, {"epochs": 3, "lr": 0.2})
    assert again.run() is again.trainer.history
    assert again.trainer.step == again.resumed_from == JOB_STEPS
    assert job_outcome(tmp_path, again) == whole
    assert (tmp_path / "metrics.csv").read_bytes() == metrics


def test_more_epochs(tmp_path: Path) -> None:
    constant = {"scheduler": "none", "patience": None}
    longer = Job.new(settings(**constant, epochs=5), tmp_path / "longer")
    longer.run()
    Job.new(settings(**constant, epochs=2), tmp_path / "shorter").run()
    resumed = Job.resume(tmp_path / "shorter", {"epochs": 5})
    resumed.run()
    assert job_outcome(tmp_path / "shorter", resumed) == job_outcome(tmp_path / "longer", longer)


def test_early_stopping_continues_its_count(tmp_path: Path) -> None:
    stopping = {"scheduler": "none", "lr": 0.0, "epochs": 9}
    Job.new(settings(**stopping), tmp_path).run()
    stopped = Job.resume(tmp_path, {})
    assert len(stopped.run()) == 3, "the first epoch is the best, and patience is 2"
    patient = Job.resume(tmp_path, {"patience": 4})
    assert len(patient.run()) == 5


def test_other_settings_are_refused(tmp_path: Path) -> None:
    Job.new(settings(epochs=1), tmp_path).run()
    before = sorted(tmp_path.rglob("*"))
    for changed, message in (
        ({"lr": 0.5, "seed": 3}, "lr was 0.2, is 0.5; seed was 0, is 3"),
        ({"model": "mlp"}, "model was 'perceptron', is 'mlp'"),
        ({"augment": False}, "augment was True, is False"),
        ({"epochs": 9}, "epochs was 1, is 9; the cosine schedule was made for 1 epochs"),
    ):
        with pytest.raises(CheckpointError, match=message):
            Job.resume(tmp_path, changed)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_with_a_run_is_not_overwritten(tmp_path: Path) -> None:
    Job.new(settings(epochs=1), tmp_path).run()
    with pytest.raises(CheckpointError, match="holds a run already; continue it with --resume"):
        Job.new(settings(epochs=1), tmp_path)


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no run to resume here"):
        Job.resume(tmp_path / "none", {})
    assert not (tmp_path / "none").exists()


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, whole: Any) -> None:
    with pytest.raises(Interrupted):
        Job.new(settings(), tmp_path, callbacks=(SignalAt(7, signal.SIGINT),)).run()
    newest = tmp_path / "checkpoints" / "step-00000007" / "optim.safetensors"
    content = bytearray(newest.read_bytes())
    content[-1] ^= 1
    newest.write_bytes(content)
    with pytest.warns(UserWarning, match=r"checkpoint passed over: .*step-00000007.*torn or altered"):
        job = Job.resume(tmp_path, {})
    assert job.resumed_from == 6
    with pytest.warns(UserWarning, match="passed over"):
        job.run()
    assert job_outcome(tmp_path, job) == whole


def test_no_sound_checkpoint(tmp_path: Path) -> None:
    Job.new(settings(epochs=1), tmp_path).run()
    for state in (tmp_path / "checkpoints").glob("*/state.json"):
        state.write_text("{}")
    with (
        pytest.warns(UserWarning, match="passed over"),
        pytest.raises(CheckpointError, match="no sound checkpoint here"),
    ):
        Job.resume(tmp_path, {})
