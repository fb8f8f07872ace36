"""How long the kernels of LeNet-5's default training take to compile, each and together.

`python -m benchmarks.compiling` compiles them into an empty folder of its own, in one process.
"""

from __future__ import annotations

import os
import tempfile


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["AUTOGRAD_CNN_CACHE"] = folder
        from autograd_cnn.kernels.cpu import jit
        from autograd_cnn.train.warmup import compile_kernels

        for _ in compile_kernels([("lenet5", "digits")]):
            pass
        seconds = jit.cache_info().compile_seconds
    for kernel, time in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"{time:6.2f} s  {kernel}")
    print(f"{sum(seconds.values()):6.2f} s  in all, {len(seconds)} kernels")


if __name__ == "__main__":
    main()
