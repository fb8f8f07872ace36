"""Names for what public functions take, in annotations."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import DTypeLike as DTypeLike

Number = bool | int | float
Ints = int | Sequence[int]  # one number for all dimensions, or one each
