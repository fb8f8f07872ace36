"""A run that is cut anywhere and taken up from its checkpoint ends with the bits of the run that was not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_cnn import nn, optim
from autograd_cnn.data import DataLoader, ImageDataset, transforms
from autograd_cnn.random import get_rng_state, manual_seed, set_rng_state
from autograd_cnn.train import CheckpointStore

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
