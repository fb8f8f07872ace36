"""A whole training step (zero gradients, forward, loss, backward, Adam) of the named networks, next to PyTorch's.

`python -m benchmarks.step`
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_cnn as ag
from autograd_cnn import models
from benchmarks import fastest, peer

BATCHES = {"mlp": 128, "lenet5": 64, "simplecnn": 64}


def our_step(model: Any, x: np.ndarray, target: np.ndarray) -> Callable[[], Any]:
    optimizer = ag.optim.Adam(model.parameters())
    criterion = model.criterion()
    inputs, labels = ag.tensor(x), ag.tensor(target)

    def step() -> None:
        optimizer.zero_grad()
        criterion(model(inputs), labels).backward()
        optimizer.step()

    return step


def their_step(torch: Any, name: str, weights: dict[str, np.ndarray], x: np.ndarray, target: np.ndarray) -> Any:
    nn, F = torch.nn, torch.nn.functional

    class MLP(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = ((784, 256), (256, 128), (128, 10))
            layers = [module for pair in sizes for module in (nn.Linear(*pair), nn.ReLU())]
            self.layers = nn.Sequential(nn.Flatten(), *layers[:-1])

        def forward(self, x: Any) -> Any:
            return self.layers(x)

    class LeNet5(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
            self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

        def forward(self, x: Any) -> Any:
            x = F.max_pool2d(F.relu(self.conv1(x)), 2)
            x = F.max_pool2d(F.relu(self.conv2(x)), 2)
            return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x.flatten(1))))))

    class SimpleCNN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 32, 3), nn.Conv2d(32, 64, 3)
            self.fc1, self.fc2 = nn.Linear(1600, 128), nn.Linear(128, 10)

        def forward(self, x: Any) -> Any:
            x = F.max_pool2d(F.relu(self.conv1(x)), 2)
            x = F.max_pool2d(F.relu(self.conv2(x)), 2)
            return F.log_softmax(self.fc2(F.relu(self.fc1(x.flatten(1)))), 1)

    model = {"mlp": MLP, "lenet5": LeNet5, "simplecnn": SimpleCNN}[name]()
    model.load_state_dict({key: torch.from_numpy(value.copy()) for key, value in weights.items()})
    loss = F.nll_loss if name == "simplecnn" else F.cross_entropy
    optimizer = torch.optim.Adam(model.parameters())
    inputs, labels = torch.from_numpy(x), torch.from_numpy(target)

    def step() -> None:
        optimizer.zero_grad()
        loss(model(inputs), labels).backward()
        optimizer.step()

    return step


def main() -> None:
    torch = peer()
    if torch is not None:
        torch.set_num_threads(2)
    rng = np.random.default_rng(0)
    for name, batch in BATCHES.items():
        x = rng.random((batch, 1, 28, 28), np.float32)
        target = rng.integers(0, 10, batch)
        model = models.MODELS[name].for_data((1, 28, 28), 10)
        weights = {key: value.numpy().copy() for key, value in model.state_dict().items()}
        ours = our_step(model, x, target)
        theirs = None if torch is None else their_step(torch, name, weights, x, target)
        mine, other = fastest(ours, theirs)
        peers = "" if other is None else f"   torch {other:8.3f} ms   torch / ours {other / mine:5.2f}"
        print(f"{name:10s} batch {batch:4d}   ours {mine:8.3f} ms{peers}", flush=True)


if __name__ == "__main__":
    main()
