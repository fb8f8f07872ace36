"""Thermal film of what a person does in a room: for classification of video."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from autograd_cnn.creation import as_tensor
from autograd_cnn.data.dataset import Dataset
from autograd_cnn.data.download import Progress, RemoteFile, find_or_download, search_folders
from autograd_cnn.errors import ArgumentError, DataError
from autograd_cnn.tensor import Tensor

_HOME = "https://raw.githubusercontent.com/noahzhy/FIR-Image-Action-Dataset/6d96634774fb6d48e0936bca7259d67b8e758389/"
_HEIGHT, _WIDTH = 24, 32


class Segment(NamedTuple):
    """An action: which recording, its first frame, the one after its last, and its class."""

    recording: int
    start: int
    end: int
    label: int


class FIRAction(Dataset[Any]):
    """Clips of 7 recordings by a thermal camera of 24 x 32 pixels at the ceiling, about 8 frames a second; 9 actions.

    An item is (clip, class): (1, window, 24, 32) float32 and an int.  Clips lie inside of a labelled segment, `stride`
    frames apart; a segment that is shorter has none.
    window, stride: in frames.
    recordings: which of the seven, by number, so that a split can be by recording; all unless given.
    subtract_background: whether the recording's median picture is taken away, which leaves the person: the contrast
        is some degrees.
    `frames` has each recording, (frames, 24, 32) in degrees Celsius; `segments` the labels; `windows` the clips.
    transform: of a clip.  root, download: as of `MNIST`; the folder is `fir-action`, its files gzipped or not.
    Errors: `ArgumentError` for numbers of recordings or frames that are not there, `DataError` for files that are
    missing or damaged.
    Source: H. Zhang, FIR-Image-Action-Dataset, GitHub, 2020.
    """

    classes: ClassVar[Sequence[str]] = (
        "active", "falled", "falling", "lying", "sit", "sitdown", "sleeping", "standup", "walk",
    )  # fmt: skip
    files: ClassVar[Sequence[RemoteFile]] = tuple(
        RemoteFile(f"{name}.csv", size, digest, (f"{_HOME}data/",))
        for name, size, digest in (
            (
                "20200626_154313_mlx90640_01_light_none",
                2_570_261,
                "700a90d8a29bb7de2cd4061ec31842e0da10deb97a4f24a22420bc7eb3e7afc6",
            ),
            (
                "20200626_160522_mlx90640_01_light_none",
                3_390_190,
                "d4ba708a7c2df035c4e415b3a91395fde05bc5e9dc6ae54fcc15b717e8319bbb",
            ),
            (
                "20200627_185209_mlx90640_01_light_none",
                3_276_577,
                "8699be939fed2b24c0171ae425b513430207f2fd7d667e192018cdc49d25901f",
            ),
            (
                "20200627_190147_mlx90640_01_light_none",
                3_859_002,
                "23011ab15d8c2c835609eaff55a632df104ce57de50ce9df7da4de3e15e414a0",
            ),
            (
                "20200628_144536_mlx90640_01_light_none",
                2_150_529,
                "3f017cc211aec0dfe055eddc3ea445783c9eff7f1a87882d14f26809b06760e1",
            ),
            (
                "20200628_145326_mlx90640_01_light_none",
                2_359_999,
                "f028cbd1a1e5b09271f0afa080d331cf5b6f8ab71ee99d68d6121accecb72d77",
            ),
            (
                "20200628_183032_mlx90640_01_light_natural",
                3_126_201,
                "81d4ca45980f350617682bee0cef922873dc21c9617bd3e60c5d96af07a0f2f8",
            ),
        )
    )
    labels: ClassVar[RemoteFile] = RemoteFile(
        "labels.csv", 56_897, "abbd6e2837ff5a72f3734af10b8c2e4e45efe6069ae60e0f78b698720f162609", (_HOME,)
    )

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        window: int = 16,
        stride: int = 8,
        recordings: Sequence[int] | None = None,
        subtract_background: bool = True,
        transform: Callable[[Any], Any] | None = None,
        download: bool = True,
        *,
        progress: Progress | None = None,
    ) -> None:
        chosen = list(range(len(self.files)) if recordings is None else recordings)
        if not set(chosen) <= set(range(len(self.files))):
            raise ArgumentError(f"FIRAction: recordings are {chosen}; there are 0 to {len(self.files) - 1}")
        if window < 1 or stride < 1:
            raise ArgumentError(f"FIRAction: window {window} and stride {stride} must be at least 1")
        self.window, self.stride = window, stride
        self.transform = transform
        found = find_or_download(self.labels, "fir-action", root, download=download, progress=progress)
        labelled = self._read_labels(found)
        self.frames: dict[int, Tensor] = {}
        self.segments: list[Segment] = []
        for recording in chosen:
            film = _read_film(self.files[recording], root, download, progress)
            if subtract_background:
                film -= np.median(film, 0)
            self.frames[recording] = as_tensor(film)
            self.segments += [segment for segment in labelled if segment.recording == recording]
            last = max((segment.end for segment in self.segments if segment.recording == recording), default=0)
            if last > len(film):
                raise DataError(f"{self.files[recording].name}: a label ends at frame {last} of {len(film)}")
        self.windows = [
            Segment(segment.recording, start, start + window, segment.label)
            for segment in self.segments
            for start in range(segment.start, segment.end - window + 1, stride)
        ]
        self.targets: Tensor = as_tensor(np.array([clip.label for clip in self.windows], np.int64))

    def __len__(self) -> int:
        return len(self.windows)

    def __getitem__(self, index: int) -> tuple[Any, int]:
        recording, start, end, label = self.windows[index]
        clip: Any = as_tensor(self.frames[recording].numpy()[None, start:end].copy())
        return clip if self.transform is None else self.transform(clip), label

    def _read_labels(self, path: Path) -> list[Segment]:
        """A line is a recording's file and, for each segment, its first frame, the one after its last, its action."""
        names = [file.name for file in self.files]
        segments = []
        try:
            for line in path.read_text(encoding="utf-8").splitlines():
                name, *fields = line.rstrip(",").split(",")
                if name not in names:
                    continue
                for start, end, action in zip(fields[::3], fields[1::3], fields[2::3], strict=True):
                    segments.append(Segment(names.index(name), int(start), int(end), self.classes.index(action)))
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: could not read the labels: {error}") from error
        return segments

    def __repr__(self) -> str:
        return f"FIRAction({len(self)} clips of ({self.window}, {_HEIGHT}, {_WIDTH}), {len(self.classes)} classes)"


def _read_film(
    file: RemoteFile, root: str | os.PathLike[str] | None, download: bool, progress: Progress | None
) -> np.ndarray:
    """(frames, 24, 32) float32: a line is a time, a number that is 0 throughout, and 768 temperatures."""
    packed = [folder / f"{file.name}.gz" for folder in search_folders("fir-action", root)]
    path = next((path for path in packed if path.is_file()), None)
    if path is None:
        path = find_or_download(file, "fir-action", root, download=download, progress=progress)
    try:
        raw = path.read_bytes()
        if path.suffix == ".gz":
            with gzip.open(path) as stream:
                raw = stream.read(file.size + 1)
        lines = raw.decode("ascii").splitlines()[1:]
        film = np.array([line.split(",")[2:] for line in lines], np.float32)
        return film.reshape(-1, _HEIGHT, _WIDTH)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(f"{path}: could not read the film: {error}") from error
