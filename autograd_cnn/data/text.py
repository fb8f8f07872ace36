"""Sets of text: surnames by language, sentences of film reviews, and Shakespeare."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from autograd_cnn.creation import as_tensor, from_numpy
from autograd_cnn.data.dataset import Dataset
from autograd_cnn.data.download import Progress, RemoteFile, find_or_download
from autograd_cnn.errors import ArgumentError, DataError
from autograd_cnn.tensor import Tensor

Root = str | os.PathLike[str] | None


class LabelledText(Dataset[Any]):
    """Texts with their classes, one file of lines for each class.

    An item is (text, class), a string and an int.  `texts`, `targets` (N,) int64 and `classes` have them all.
    transform: of one text, such as to ids of its characters.  target_transform: of one class.
    """

    folder_name: ClassVar[str]
    class_names: ClassVar[Sequence[str]]
    homes: ClassVar[Sequence[str]]
    files: ClassVar[dict[str, tuple[str, int, str]]]  # the file of each class, its size and SHA-256

    def __init__(
        self,
        root: Root = None,
        transform: Callable[[str], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        download: bool = True,
        *,
        progress: Progress | None = None,
    ) -> None:
        self.classes = list(self.class_names)
        self.transform = transform
        self.target_transform = target_transform
        self.texts: list[str] = []
        targets: list[int] = []
        for label, name in enumerate(self.classes):
            file = RemoteFile(*self.files[name], self.homes)
            text = read_text(file, self.folder_name, root, download, progress)
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            self.texts += lines
            targets += [label] * len(lines)
        self.targets: Tensor = as_tensor(np.array(targets, np.int64))

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        text: Any = self.texts[index]
        target: Any = int(self.targets.numpy()[index])
        text = text if self.transform is None else self.transform(text)
        return text, target if self.target_transform is None else self.target_transform(target)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} texts, {len(self.classes)} classes)"


class Names(LabelledText):
    """20,050 surnames of 18 languages; some occur more than once, or in several.

    root, download: as of `MNIST`; the folder is `names`.
    Errors: `DataError` for files that are missing or no UTF-8.
    Source: github.com/spro/practical-pytorch.
    """

    folder_name = "names"
    homes = (
        "https://raw.githubusercontent.com/spro/practical-pytorch/c520c52e68e945d88fff563dba1c028b6ec0197b/data/names/",
    )
    files: ClassVar[dict[str, tuple[str, int, str]]] = {
        name: (f"{name}.txt", size, digest)
        for name, (size, digest) in {
            "Arabic": (13_190, "6f424a8dbe51cbbbabab7a57d38b617210125e4e3991f3c657cb79b8f104bafc"),
            "Chinese": (1_246, "09ba8f1f7e38dbc99372d461b26ad4433b811fc6bfa6a3ecca6fe11a9a777465"),
            "Czech": (3_916, "e17ab0ec47616a72c39cb85c783f70c3663ab64488721e5d8378f146d2226be7"),
            "Dutch": (2_351, "924f32b635170eae561f84538632138fc07d4c8bbd70ba3fb980de1ecc4d2af3"),
            "English": (27_125, "9cca037066d3d5989e24bc01801416162de506b5e28e15b7c092a47905d29bf2"),
            "French": (2_178, "81e65b36c60ed5b89a17422f6edcadbb89546f38ad69e960e64e7ba682012a95"),
            "German": (5_610, "7449cd590b97a733e18d613a4155decd77ec35dc5f8aadd7a82204dce4f051db"),
            "Greek": (1_981, "3555b5186de7f401e6d991b088e9e644ca3099116477818c25ab5793801389e6"),
            "Irish": (1_858, "cf8c7013256252a88d2503127b87282a11f21b2ff6db1bded68834c19a1ec058"),
            "Italian": (5_657, "f88414c27d0606a11a678b4859277828c2565d6cc4d9ee932deef6e94f3b35e4"),
            "Japanese": (7_622, "e0e717e114fec3e7eade4d9dabe0067c475f43147e36a22b47902ee76ad9e67f"),
            "Korean": (423, "cd54221ccb362a6cba4c78828838cf3268a0e59744767a37cf6ec4b74036b136"),
            "Polish": (1_165, "45bab898af2f60ed3a728bbf6980e28821011a7caa53227553b5785903a40826"),
            "Portuguese": (554, "50a8735f41f4f73757c8ce5b16cb0275cd86b2b214bcbc8c9805f508cb131c53"),
            "Russian": (85_168, "0cfe53ac18041e8f63666aa77313e0a3ff378facb132abee052d8ebdc8c3d62c"),
            "Scottish": (752, "78d0252711d87d948ea86fe34826c51d2d794a8e52d15b5d6f7b6244d45d62dd"),
            "Spanish": (2_284, "1bcb462ed3316756a85781d68232bddae04498fdddd5d9219c53fd1fbdeba7a7"),
            "Vietnamese": (339, "f3f9e4164ab47601178a6e45b216464a64122f49d05541f24bf18a757253281d"),
        }.items()
    }
    class_names = tuple(files)


class RTPolarity(LabelledText):
    """5,331 negative (class 0) and 5,331 positive (1) sentences of film reviews, in tokens with blanks between.

    root, download: as of `MNIST`; the folder is `rt-polarity`.  There is no split: see `stratified_split`.
    Errors: `DataError` for files that are missing or no UTF-8.
    Source: B. Pang, L. Lee, Seeing stars, ACL 2005; in UTF-8 by github.com/dennybritz/cnn-text-classification-tf.
    """

    folder_name = "rt-polarity"
    class_names = ("negative", "positive")
    homes = (
        "https://raw.githubusercontent.com/dennybritz/cnn-text-classification-tf/"
        "18762b459e21d9c70e5c242f8d43fc4e6db37a0d/data/rt-polaritydata/",
    )
    files: ClassVar[dict[str, tuple[str, int, str]]] = {
        "negative": (
            "rt-polarity.neg",
            612_506,
            "2d11cfbc790f1cd96d78339f41ce53ced1efa83cd22d37d6788fa3fe3d17e2fd",
        ),
        "positive": (
            "rt-polarity.pos",
            626_395,
            "4134882974a28d0c7b5151256f0e33a6169984ee7372c279e673f1114f475d58",
        ),
    }


class TinyShakespeare(Dataset[Any]):
    """1,115,394 characters of Shakespeare, cut into sequences and what comes next at each of their places.

    An item is (x, y), both (length,) int64: ids of characters, y one place further on.
    length: of a sequence.  stride: from the beginning of one to the next; `length` unless given.
    split: "train", the first 90 % of the text; "test", the rest; or "all".
    `text`, `data` (its ids), `characters` (all 65, by id), `encode` and `decode`.
    root, download: as of `MNIST`; the folder is `tinyshakespeare`.
    Errors: `DataError` for a file that is missing or another, `ArgumentError` for other splits and lengths below 1.
    Source: A. Karpathy, The unreasonable effectiveness of recurrent neural networks, 2015.
    """

    file: ClassVar[RemoteFile] = RemoteFile(
        "input.txt",
        1_115_394,
        "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
        (
            "https://raw.githubusercontent.com/karpathy/char-rnn/"
            "6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/",
        ),
    )

    def __init__(
        self,
        root: Root = None,
        split: str = "train",
        length: int = 64,
        stride: int | None = None,
        download: bool = True,
        *,
        progress: Progress | None = None,
    ) -> None:
        if split not in ("train", "test", "all"):
            raise ArgumentError(f"TinyShakespeare: split is {split!r}; train, test or all")
        self.length, self.stride = length, length if stride is None else stride
        if self.length < 1 or self.stride < 1:
            raise ArgumentError(f"TinyShakespeare: length {length} and stride {stride} must be at least 1")
        whole = read_text(self.file, "tinyshakespeare", root, download, progress)
        self.characters = "".join(sorted(set(whole)))
        cut = len(whole) * 9 // 10
        self.text = {"train": whole[:cut], "test": whole[cut:], "all": whole}[split]
        self.data: Tensor = self.encode(self.text)

    def encode(self, text: str) -> Tensor:
        """The id of each character.  Raises ArgumentError for one that the whole text has not."""
        ids = {character: i for i, character in enumerate(self.characters)}
        try:
            return as_tensor(np.array([ids[character] for character in text], np.int64))
        except KeyError as error:
            raise ArgumentError(f"TinyShakespeare: there is no character {error}") from None

    def decode(self, ids: Any) -> str:
        """The text of ids."""
        return "".join(self.characters[int(i)] for i in np.asarray(ids).reshape(-1))

    def __len__(self) -> int:
        return max(0, (len(self.data) - 1 - self.length) // self.stride + 1)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        x, y = self.take_batch(np.array([range(len(self))[index]]))
        return x[0], y[0]

    def take_batch(self, indices: np.ndarray) -> list[Tensor]:
        places = np.asarray(indices)[:, None] * self.stride + np.arange(self.length)
        ids = self.data.numpy()
        return [from_numpy(ids[places]), from_numpy(ids[places + 1])]

    def __repr__(self) -> str:
        return f"TinyShakespeare({len(self)} sequences of {self.length} characters)"


def read_text(file: RemoteFile, name: str, root: Root, download: bool, progress: Progress | None) -> str:
    """A file of the data set `name` as text."""
    path = find_or_download(file, name, root, download=download, progress=progress)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: could not read as UTF-8: {error}") from error
