"""Reading JPEG and PNG files, by Pillow."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from autograd_cnn.errors import DataError, MissingDependencyError


def read_picture(path: Path, mode: str) -> np.ndarray:
    """The pixels of a picture, uint8: (H, W, 3) for mode "RGB", (H, W) for mode "L".

    Errors: `MissingDependencyError` without Pillow, `DataError` for a file that is no picture.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependencyError('pictures are read by Pillow: pip install "autograd_cnn[examples]"') from error
    try:
        with Image.open(io.BytesIO(path.read_bytes()), formats=("JPEG", "PNG")) as picture:
            return np.array(picture.convert(mode))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: could not read the picture: {error}") from error
