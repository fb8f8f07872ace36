"""Convolution and its gradients in float32, next to PyTorch's."""

from __future__ import annotations

import numpy as np

from autograd_cnn.kernels.cpu.conv import conv_forward, conv_grad_input
from autograd_cnn.kernels.cpu.conv_weight import conv_grad_weight, sum_channels
from benchmarks import fastest, peer, report

# name: (images, channels, size, outputs, kernel, padding, stride)
SHAPES = {
    "LeNet-5, first": (64, 1, 28, 6, 5, 2, 1),
    "LeNet-5, second": (64, 6, 14, 16, 5, 0, 1),
    "simplecnn, first": (64, 1, 28, 32, 3, 0, 1),
    "simplecnn, second": (64, 32, 13, 64, 3, 0, 1),
    "8 x 64 x 56 x 56, 3 x 3": (8, 64, 56, 64, 3, 1, 1),
    "32 x 256 x 14 x 14, 3 x 3": (32, 256, 14, 256, 3, 1, 1),
    "32 x 256 x 14 x 14, 1 x 1": (32, 256, 14, 256, 1, 0, 1),
    "16 x 64 x 56 x 56, 3 x 3, stride 2": (16, 64, 56, 128, 3, 1, 2),
    "32 x 256 x 8 x 8, 3 x 3": (32, 256, 8, 256, 3, 1, 1),
}


def main() -> None:
    torch = peer()
    rng = np.random.default_rng(0)
    for name, (images, channels, size, outputs, kernel, padding, stride) in SHAPES.items():
        end = (size + 2 * padding - kernel) // stride + 1
        x = rng.standard_normal((images, channels, size, size), np.float32)
        w = rng.standard_normal((outputs, channels, kernel, kernel), np.float32)
        bias = rng.standard_normal(outputs, np.float32)
        g = rng.standard_normal((images, outputs, end, end), np.float32)
        out, grad_x, grad_w, grad_bias = (np.empty_like(array) for array in (g, x, w, bias))
        settings = ((stride, stride), (padding,) * 4, (1, 1), 1)
        theirs = [None] * 4
        if torch is not None:
            tx, tw, tbias, tg = (torch.from_numpy(array) for array in (x, w, bias, g))

            def backward(*mask, tx=tx, tw=tw, tg=tg, sizes=([outputs], [stride] * 2, [padding] * 2)):
                convolution = sizes[0], sizes[1], sizes[2], [1, 1], False, [0, 0], 1
                return torch.ops.aten.convolution_backward(tg, tx, tw, *convolution, mask)

            theirs = [
                lambda tx=tx, tw=tw, tb=tbias, s=stride, p=padding: torch.nn.functional.conv2d(tx, tw, tb, s, p),
                lambda backward=backward: backward(True, False, False),
                lambda backward=backward: backward(False, True, False),
                lambda tg=tg: tg.sum((0, 2, 3)),
            ]
        ours = [
            lambda x=x, w=w, b=bias, s=settings, out=out: conv_forward(x, w, b, *s, out),
            lambda g=g, w=w, s=settings, out=grad_x: conv_grad_input(g, w, *s, out),
            lambda g=g, x=x, s=settings, out=grad_w: conv_grad_weight(g, x, *s, out),
            lambda g=g, out=grad_bias: sum_channels(g, out),
        ]
        operations = 2 * g.size * channels * kernel * kernel
        works = (
            ("forward", operations),
            ("grad input", operations),
            ("grad weight", operations),
            ("bias", g.size),
        )
        for (work, count), our, their in zip(works, ours, theirs, strict=True):
            report(f"{name}: {work}", *fastest(our, their), count)


if __name__ == "__main__":
    main()
