"""A small network written imperatively, one backward pass, and the picture of its gradients."""

import sys

import autograd_cnn as ag
import autograd_cnn.nn as nn
import autograd_cnn.nn.functional as F
import viz


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3)
        self.fc = nn.Linear(8 * 13 * 13, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        return self.fc(x.flatten(1))


def main(path: str = "net.svg") -> None:
    ag.manual_seed(0)
    net = Net()
    x, target = ag.randn(16, 1, 28, 28), ag.randint(0, 10, (16,))
    loss = F.cross_entropy(net(x), target)
    with viz.record(net) as recorded:
        loss.backward()
    print(loss, net.conv.weight.grad.shape)
    viz.backward_graph(recorded, model=net, title="Gradients on their way").save(path)


if __name__ == "__main__":
    main(*sys.argv[1:])
