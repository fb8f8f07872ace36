"""A user's type checker and editor know every public name, and what a function takes and gives."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from coverage_table import found
from public_names import GROUPS

import autograd_cnn as ag

SCRIPT = """
import autograd_cnn as torch
import autograd_cnn.nn as nn
import autograd_cnn.nn.functional as F
import autograd_cnn.optim as optim
from autograd_cnn.utils.data import DataLoader, Dataset
from autograd_cnn.nn.modules.batchnorm import _BatchNorm


class Squares(Dataset[int]):
    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> int:
        return index**2


class Net(nn.Module):
    def __init__(self, width: int = 4) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.relu(self.norm(self.conv(x)))
        return self.head(x.mean((2, 3)))


device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
model = Net().to(device)
optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for images in DataLoader(Squares(), batch_size=4, shuffle=True, num_workers=0):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(torch.randn(4, 1, 8, 8)), torch.randint(0, 10, (4,)))
    loss.backward()
    optimizer.step()
isinstance(model.norm, _BatchNorm)
policy = torch.distributions.Normal(torch.zeros(2), torch.ones(2))
sample: torch.Tensor = policy.rsample((3,))
torch.save({"model": model.state_dict(), "epoch": 3}, "checkpoint.safetensors")
"""


TYPES = """
from typing import assert_type

import autograd_cnn as torch
import autograd_cnn.nn.functional as F
from autograd_cnn import Tensor, nn, optim

x: Tensor = torch.randn(2, 3, 8, 8, requires_grad=True)
labels = torch.tensor([0, 1])
assert_type(torch.zeros(2, 3), Tensor)
assert_type(torch.arange(3, dtype=torch.float32), Tensor)
assert_type(torch.sum(x, dim=(0, 1), keepdim=True), Tensor)
assert_type(torch.where(x > 0, x, 0.0), Tensor)
assert_type(torch.where(x > 0), tuple[Tensor, ...])
assert_type(torch.nonzero(x), Tensor)
assert_type(torch.max(x), Tensor)
assert_type(x.max(1).indices, Tensor)
assert_type(torch.sort(x).values, Tensor)
assert_type(torch.topk(x, 2).indices, Tensor)
assert_type(torch.cat([x, x], dim=1), Tensor)
assert_type(x.split(1), tuple[Tensor, ...])
assert_type(torch.std_mean(x), tuple[Tensor, Tensor])
assert_type(torch.allclose(x, x), bool)
assert_type(x + 1, Tensor)
assert_type(1 / x, Tensor)
assert_type(-x @ x.mT, Tensor)
assert_type(x == 0, Tensor)
assert_type(x[:, None, ..., 0], Tensor)
assert_type(x.reshape(2, -1).mean(1).exp(), Tensor)
assert_type(x.transpose(0, 1).contiguous().view(-1), Tensor)
assert_type(x.to(torch.float64).double().long(), Tensor)
assert_type(x.detach().clamp_(0, 1).mul_(2), Tensor)
assert_type(x.new_zeros(2, 3), Tensor)
assert_type(x.shape, tuple[int, ...])
assert_type(x.numel(), int)
assert_type(F.conv2d(x, torch.ones(4, 3, 3, 3), padding=1), Tensor)
assert_type(F.cross_entropy(x.mean((2, 3)), labels), Tensor)
assert_type(F.layer_norm(x, (8,)), Tensor)
assert_type(F.dropout(F.relu(x), p=0.1), Tensor)
assert_type(F.scaled_dot_product_attention(x, x, x), Tensor)
assert_type(nn.Linear(8, 2).weight, nn.Parameter)
assert_type(nn.ReLU().forward(x), Tensor)
assert_type(nn.CrossEntropyLoss().forward(x, labels), Tensor)
model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten())
optimizer = optim.Adam(model.parameters(), lr=1e-3)
optim.lr_scheduler.StepLR(optimizer, step_size=2).step()
"""


def checked(script: str, folder: Path, *options: str) -> str:
    """What mypy has to say of a user's script."""
    pytest.importorskip("mypy", reason="the type checker is in the extra `dev`")
    path = folder / "script.py"
    path.write_text(script)
    command = [sys.executable, "-m", "mypy", *options, "--cache-dir", str(folder / "cache"), str(path)]
    config = folder / "mypy.ini"
    config.write_text("[mypy]\nfollow_imports = silent\n")
    home = Path(ag.__file__).parents[1]  # of a checkout, which mypy does not find by itself
    where = {} if home.name == "site-packages" else {"MYPYPATH": str(home)}
    command += ["--config-file", str(config)]
    done = subprocess.run(command, cwd=folder, env=os.environ | where, capture_output=True, text=True, timeout=110)
    return done.stdout + done.stderr


def test_a_users_script_and_every_public_name(tmp_path: Path) -> None:
    script = [SCRIPT, "import autograd_cnn.autograd, autograd_cnn.data, autograd_cnn.distributions"]
    shown = []
    for place, _, names in GROUPS.values():
        for name in names:
            path = f"{place}.{name}".strip(".")
            if found(path, ag) is not None:
                script.append(f"reveal_type(torch.{path})")
                shown.append(path)
    script.append("reveal_type(model(torch.ones(1)).shape)")
    said = checked("\n".join(script), tmp_path)
    assert "error:" not in said, [line for line in said.splitlines() if "error:" in line][:20]
    types = re.findall(r'Revealed type is "(.*)"', said)
    assert len(types) == len(shown) + 1
    unknown = [path for path, kind in zip(shown, types, strict=False) if kind in ("Any", "builtins.object")]
    assert not unknown, "mypy knows nothing of these"
    bare = [path for path, kind in zip(shown, types, strict=False) if re.fullmatch(r"def \(\) -> Any", kind)]
    assert not bare


def test_mistakes_are_found(tmp_path: Path) -> None:
    said = checked(
        "import autograd_cnn as torch\n"
        "torch.nn.Linear(3, 2, bais=True)\n"
        "torch.zeross(2)\n"
        "torch.optim.SGD([], lr='fast')\n"
        "torch.data.DataLoader([1], batch_size='4')\n",
        tmp_path,
    )
    assert [int(line.split(":")[1]) for line in said.splitlines() if "error:" in line] == [2, 3, 4, 5], said


def test_functions_methods_and_modules_give_tensors(tmp_path: Path) -> None:
    said = checked(TYPES, tmp_path, "--strict")
    assert "error:" not in said, said
