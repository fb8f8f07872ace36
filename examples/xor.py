"""XOR: the smallest task that one layer cannot learn, and two can.

    python examples/xor.py

A perceptron gives each class a score that is linear in the inputs, so the places where both scores are equal form
one straight line, with each class on its own side.  XOR wants (0, 0) and (1, 1) on one side and (0, 1) and (1, 0) on
the other.  No line does that: the two pairs have the same centre, (1/2, 1/2), and the centre of two points that lie
on one side of a line lies on that side too.  A hidden layer moves the points to where a line can part them.
"""

from __future__ import annotations

import numpy as np

import autograd_cnn as ag
from autograd_cnn import nn, optim
from autograd_cnn.data import XOR, DataLoader
from autograd_cnn.models import MLP, Perceptron
from autograd_cnn.train import Trainer

POINTS = XOR()


def learn(model: nn.Module, epochs: int = 300) -> float:
    """Trains on the four points; prints what the model says of each, and returns its accuracy."""
    trainer = Trainer(model, optim.Adam(model.parameters(), lr=0.05), nn.CrossEntropyLoss())
    history = trainer.fit(DataLoader(POINTS, batch_size=4), epochs=epochs)
    with ag.no_grad():
        chances = model(POINTS.data).softmax(1).numpy()[:, 1]
    for (a, b), target, chance in zip(POINTS.data.tolist(), POINTS.targets.tolist(), chances, strict=True):
        print(f"  {a:.0f} xor {b:.0f} = {target}   says 1 with probability {chance:.3f}")
    accuracy = trainer.evaluate(DataLoader(POINTS, batch_size=4))["accuracy"]
    print(f"  loss {history[-1]['loss']:.4f} after {epochs} epochs, {accuracy:.0%} right\n")
    return accuracy


def best_line(steps: int = 41) -> int:
    """The most points that any line of a fine grid puts on their own sides."""
    w1, w2, b = np.meshgrid(*[np.linspace(-2, 2, steps)] * 3)
    sides = [w1 * x + w2 * y + b > 0 for x, y in POINTS.data.tolist()]
    right = sum(side == bool(target) for side, target in zip(sides, POINTS.targets.tolist(), strict=True))
    return int(right.max())


def main() -> None:
    ag.manual_seed(0)
    print("perceptron: scores = W x + b")
    learn(Perceptron(2, 2))
    print("mlp: scores = W2 relu(W1 x + b1) + b2, with 8 hidden units")
    learn(MLP(2, 2, hidden=[8]))
    print(f"Of {41**3:,} lines w1 x + w2 y + b = 0, the best have {best_line()} of the 4 points on the right side.")
    print("The points of either class have their centre at (1/2, 1/2), so no line has one class on each side: they")
    print("are not linearly separable.  The least loss of a perceptron is then log 2 = 0.6931, all chances 1/2.")


if __name__ == "__main__":
    main()
