"""Scripts as PyTorch's users write them run here with their imports changed, and train to the same losses."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

IMPORTS = """
import {package} as torch
import {package}.nn as nn
import {package}.nn.functional as F
import {package}.optim as optim
from {package}.optim.lr_scheduler import StepLR
from {package}.utils.data import DataLoader, Dataset, TensorDataset, random_split
"""

# Each defines `Net`, and `main(args)` that returns the losses; `start` copies a state dict into a fresh model.
IMAGES = """
class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, 1)
        self.conv2 = nn.Conv2d(8, 16, 3, 1)
        self.norm = nn.BatchNorm2d(16)
        self.dropout1 = nn.Dropout(0.0)
        self.fc1 = nn.Linear(16 * 4 * 4, 32)
        self.fc2 = nn.Linear(32, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.norm(self.conv2(x)))
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = self.fc2(x)
        output = F.log_softmax(x, dim=1)
        return output


def train(model, device, train_loader, optimizer, epoch, losses):
    model.train()
    for batch_idx, (data, target) in enumerate(train_loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())


def test(model, device, test_loader):
    model.eval()
    test_loss = 0
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            test_loss += F.nll_loss(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()
    return test_loss / len(test_loader.dataset), correct


def main(args):
    use_cuda = torch.cuda.is_available()
    torch.manual_seed(1)
    torch.backends.cudnn.deterministic = True
    device = torch.device("cuda" if use_cuda else "cpu")
    dataset = TensorDataset(torch.from_numpy(args.images), torch.from_numpy(args.labels))
    kwargs = {"num_workers": 0, "pin_memory": use_cuda}
    train_loader = DataLoader(dataset, batch_size=16, shuffle=False, **kwargs)
    test_loader = DataLoader(dataset, batch_size=20, **kwargs)
    model = Net().to(device)
    args.start(torch, model)
    optimizer = optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    losses = []
    for epoch in range(1, 4):
        train(model, device, train_loader, optimizer, epoch, losses)
        losses += test(model, device, test_loader)
        scheduler.step()
    torch.save(model.state_dict(), args.path)
    again = Net()
    again.load_state_dict(torch.load(args.path, map_location=device))
    losses.append(test(again, device, test_loader)[0])
    return losses
"""

SEQUENCES = """
class Net(nn.Module):
    def __init__(self, tokens=12, width=16):
        super().__init__()
        self.encoder = nn.Embedding(tokens, width)
        self.rnn = nn.LSTM(width, width, num_layers=2, batch_first=True)
        self.decoder = nn.Linear(width, tokens)

    def init_hidden(self, batch):
        weight = next(self.parameters())
        return weight.new_zeros(2, batch, 16), weight.new_zeros(2, batch, 16)

    def forward(self, x, hidden):
        output, hidden = self.rnn(self.encoder(x), hidden)
        return self.decoder(output), hidden


def repackage_hidden(h):
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


def main(args):
    model = Net()
    args.start(torch, model)
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.01)
    text = torch.tensor(args.text).long().view(4, -1)
    losses = []
    for epoch in range(2):
        hidden = model.init_hidden(4)
        for i in range(0, text.size(1) - 1, 8):
            x, y = text[:, i : i + 8], text[:, i + 1 : i + 9]
            if x.size(1) != y.size(1):
                break
            hidden = repackage_hidden(hidden)
            optimizer.zero_grad(set_to_none=True)
            output, hidden = model(x, hidden)
            loss = criterion(output.reshape(-1, 12), y.reshape(-1))
            loss.backward()
            total = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
            optimizer.step()
            losses += [loss.item(), float(total)]
    checkpoint = {"epoch": 2, "model": model.state_dict(), "optimizer": optimizer.state_dict(), "best": min(losses)}
    torch.save(checkpoint, args.path)
    found = torch.load(args.path)
    optimizer.load_state_dict(found["optimizer"])
    assert found["epoch"] == 2 and found["best"] == min(losses)
    return losses
"""

GRAPHS_AND_POLICIES = """
from torch.nn.parameter import Parameter
from torch.distributions import Categorical, Normal, kl_divergence


class GraphConvolution(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = Parameter(torch.FloatTensor(in_features, out_features))
        self.bias = Parameter(torch.FloatTensor(out_features))
        self.weight.data.uniform_(-1, 1)
        self.bias.data.uniform_(-1, 1)

    def forward(self, input, adj):
        support = torch.mm(input, self.weight)
        output = torch.spmm(adj, support)
        return output + self.bias


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.gc1 = GraphConvolution(5, 8)
        self.gc2 = GraphConvolution(8, 3)
        self.log_std = Parameter(torch.zeros(3))

    def forward(self, x, adj):
        return self.gc2(F.relu(self.gc1(x, adj)), adj)


def main(args):
    n = 10
    indices = torch.from_numpy(args.links)
    values = torch.ones(indices.size(1)) / 3
    adj = torch.sparse_coo_tensor(indices, values, torch.Size((n, n)), check_invariants=True)
    features = torch.from_numpy(args.features)
    model = Net()
    args.start(torch, model)
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    actions = torch.arange(n) % 3
    losses = []
    for step in range(15):
        scores = model(features, adj)
        policy = Categorical(logits=scores)
        noise = Normal(scores, model.log_std.exp())
        prior = Normal(torch.zeros_like(scores), torch.ones_like(scores))
        loss = -policy.log_prob(actions).mean() - 0.01 * policy.entropy().mean()
        loss = loss + 0.01 * kl_divergence(noise, prior).sum(-1).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
"""

SCRIPTS = {"images": IMAGES, "sequences": SEQUENCES, "graphs and policies": GRAPHS_AND_POLICIES}


class Args:
    """What a script is given: data, the weights to start from, and where to save."""

    def __init__(self, path: Path, weights: dict[str, np.ndarray] | None) -> None:
        rng = np.random.default_rng(0)
        self.labels = rng.integers(0, 10, 64)
        self.images = rng.standard_normal((64, 1, 12, 12)).astype(np.float32) * 0.1
        self.images[np.arange(64), 0, self.labels] += 1
        self.text = (np.cumsum(rng.integers(0, 3, 4 * 41)) % 12).tolist()
        around = np.arange(10)
        self.links = np.stack([np.tile(around, 3), np.concatenate([around, (around + 1) % 10, (around - 1) % 10])])
        self.features = rng.standard_normal((10, 5)).astype(np.float32)
        self.path = str(path)
        self.weights = weights

    def start(self, torch: Any, model: Any) -> None:
        if self.weights is None:
            self.weights = {name: value.detach().numpy().copy() for name, value in model.state_dict().items()}
        model.load_state_dict({name: torch.tensor(value) for name, value in self.weights.items()})


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_same_losses(name: str, torch: ModuleType, tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights, losses = None, []
    for package in ("torch", "autograd_cnn"):
        script = IMPORTS.format(package=package) + SCRIPTS[name].replace("from torch.", f"from {package}.")
        namespace: dict[str, Any] = {"__name__": "script"}
        exec(compile(script, f"{name}.py", "exec"), namespace)  # what a user would run
        args = Args(tmp_path / f"{package}.save", weights)
        losses.append(namespace["main"](args))
        weights = args.weights
    theirs, mine = losses
    assert len(mine) == len(theirs) > 8
    np.testing.assert_allclose(mine, theirs, rtol=2e-3)
    assert mine[-1] < mine[0]
