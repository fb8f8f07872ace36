"""How long kernels take to compile: those of LeNet-5's default training, and all that there are.

`python -m benchmarks.compiling` compiles each set into empty folders: in one process, with the time of each kernel,
and by `autograd-cnn warmup` in two.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time


def measure(everything: bool) -> None:
    """Compiles in this process; prints the time of each kernel, the dearest first, and their sum."""
    from autograd_cnn.kernels.cpu import jit
    from autograd_cnn.train.warmup import compile_kernels

    for _ in compile_kernels([] if everything else [("lenet5", "digits")], everything=everything):
        pass
    seconds = jit.cache_info().compile_seconds
    for kernel, own in sorted(seconds.items(), key=lambda item: -item[1]):
        print(f"{own:8.2f} s  {kernel}")
    print(f"{sum(seconds.values()):8.2f} s  in all, {len(seconds)} kernels")


def timed(command: list[str]) -> float:
    """Seconds of a command that starts from an empty folder of kernels."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run(command, env=os.environ | {"AUTOGRAD_CNN_CACHE": folder}, check=True)
        return time.perf_counter() - start


def main() -> None:
    for name, everything in (("LeNet-5", False), ("every kernel", True)):
        print(f"{name}, in one process:", flush=True)
        timed([sys.executable, "-c", f"from benchmarks.compiling import measure; measure({everything})"])
        warmup = [sys.executable, "-m", "autograd_cnn", "warmup", *([] if everything else ["lenet5"]), "-j", "2"]
        print(f"{timed(warmup):8.2f} s  by {' '.join(warmup[2:])}, from start to end", flush=True)


if __name__ == "__main__":
    main()
