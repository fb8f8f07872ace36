"""Matrix products and linear layers in float32, next to PyTorch's."""

from __future__ import annotations

import numpy as np

from autograd_cnn.kernels.cpu.contraction import linear_forward, matmul
from benchmarks import fastest, peer, report

# (rows, depth, columns): LeNet-5's and simplecnn's layers at batch 64, an MLP's, squares
SHAPES = [
    (64, 400, 120),
    (64, 120, 84),
    (64, 84, 10),
    (64, 3136, 128),
    (128, 784, 256),
    (256, 256, 256),
    (512, 512, 512),
    (1024, 1024, 1024),
]


def main() -> None:
    torch = peer()
    rng = np.random.default_rng(0)
    for rows, depth, columns in SHAPES:
        a = rng.standard_normal((rows, depth), np.float32)
        b = rng.standard_normal((depth, columns), np.float32)
        weight = np.ascontiguousarray(b.T)
        bias = rng.standard_normal(columns, np.float32)
        out = np.empty((rows, columns), np.float32)
        theirs = [None, None, None]
        if torch is not None:
            ta, tb, tw, tbias, tout = (torch.from_numpy(array) for array in (a, b, weight, bias, out))
            theirs = [
                lambda ta=ta, tb=tb, tout=tout: torch.mm(ta, tb, out=tout),
                lambda ta=ta, tw=tw, tbias=tbias: torch.nn.functional.linear(ta, tw, tbias),
                lambda ta=ta, tout=tout: torch.mm(ta.T, tout),
            ]
        grad = np.empty((depth, columns), np.float32)
        ours = [
            lambda a=a, b=b, out=out: matmul(a, b, out),
            lambda a=a, weight=weight, bias=bias, out=out: linear_forward(a, weight, bias, out),
            lambda a=a, out=out, grad=grad: matmul(a.T, out, grad),
        ]
        for name, our, their in zip(("a @ b", "linear with bias", "a.T @ out"), ours, theirs, strict=True):
            report(f"{rows} x {depth} x {columns} {name}", *fastest(our, their), 2 * rows * depth * columns)


if __name__ == "__main__":
    main()
