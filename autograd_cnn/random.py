"""Random numbers: generators that are seeded, saved and restored.

A generator has two streams of one seed: NumPy's, for what is drawn on the host, and one of Philox4x32 blocks, of which
kernels make any part from a key and a counter (kernels/cpu/random.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_cnn.device import Device
from autograd_cnn.device import device as as_device
from autograd_cnn.errors import ArgumentError


class Generator:
    """A stream of random numbers (counter-based: Philox), independent of every other.

    Raises DeviceError for a device that is not there.

    >>> a, b = Generator().manual_seed(3), Generator().manual_seed(3)
    >>> bool((a.numpy.random(4) == b.numpy.random(4)).all())
    True
    """

    def __init__(self, device: str | Device = "cpu") -> None:
        self.device = as_device(device)
        self.seed()

    def manual_seed(self, seed: int) -> Generator:
        """Starts the stream anew from `seed`, any integer; returns self."""
        if not isinstance(seed, int | np.integer):
            raise ArgumentError(f"manual_seed: seed must be an integer, got {type(seed).__name__}")
        self._seed = int(seed)
        self.numpy = np.random.Generator(np.random.Philox(self._seed % 2**64))
        self._offset = 0
        return self

    def seed(self) -> int:
        """Starts the stream from the system's entropy; returns the seed."""
        self.manual_seed(np.random.SeedSequence().generate_state(1, np.uint64)[0].item())
        return self._seed

    def initial_seed(self) -> int:
        """The seed that the stream was started from."""
        return self._seed

    def position(self) -> tuple[int, int]:
        """The key of the stream of blocks, 64 bits, and the counter of the block that is next.

        >>> Generator().manual_seed(3).position()
        (3, 0)
        """
        return self._seed % 2**64, self._offset

    def skip(self, blocks: int) -> None:
        """Counts `blocks` blocks as drawn."""
        self._offset = (self._offset + blocks) % 2**64

    def get_state(self) -> dict[str, Any]:
        """What `set_state` needs to continue the stream from here; plain numbers, lists and strings."""
        state = self.numpy.bit_generator.state
        return {
            "seed": self._seed,
            "offset": self._offset,
            "counter": state["state"]["counter"].tolist(),
            "key": state["state"]["key"].tolist(),
            "buffer": state["buffer"].tolist(),
            "buffer_pos": int(state["buffer_pos"]),
            "has_uint32": int(state["has_uint32"]),
            "uinteger": int(state["uinteger"]),
        }

    def set_state(self, state: dict[str, Any]) -> Generator:
        """Continues the stream from a state of `get_state`; older ones have no `offset`, which was 0."""
        bits = np.random.Philox()
        bits.state = {
            "bit_generator": "Philox",
            "state": {
                "counter": np.array(state["counter"], np.uint64),
                "key": np.array(state["key"], np.uint64),
            },
            "buffer": np.array(state["buffer"], np.uint64),
            "buffer_pos": state["buffer_pos"],
            "has_uint32": state["has_uint32"],
            "uinteger": state["uinteger"],
        }
        self._seed = state["seed"]
        self._offset = state.get("offset", 0)
        self.numpy = np.random.Generator(bits)
        return self


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seeds the stream that everything random uses unless given a generator of its own.

    >>> import autograd_cnn as ag
    >>> _ = manual_seed(0)
    >>> a = ag.rand(2)
    >>> _ = manual_seed(0)
    >>> (a == ag.rand(2)).all()
    tensor(True)
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seeds the default stream from the system's entropy; returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default stream."""
    return default_generator.initial_seed()


def get_rng_state() -> dict[str, Any]:
    """The state of the default stream."""
    return default_generator.get_state()


def set_rng_state(new_state: dict[str, Any]) -> None:
    """Continues the default stream from a state of `get_rng_state`."""
    default_generator.set_state(new_state)
