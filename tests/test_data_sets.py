"""The data sets beyond MNIST: what their own descriptions say is what is loaded; downloads are checked."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd_cnn import data
from autograd_cnn.data.archive import Archive, find_or_unpack, unpack
from autograd_cnn.data.download import RemoteFile
from autograd_cnn.data.pictures import read_picture
from autograd_cnn.errors import ArgumentError, DataError, MissingDependencyError


@pytest.fixture
def folder(request: pytest.FixtureRequest) -> Path:
    """The folder of the set that the test is marked with; a test without it is skipped."""
    name = request.param
    place = Path(os.environ.get("AUTOGRAD_CNN_DATA", ""), name)
    if not os.environ.get("AUTOGRAD_CNN_DATA") or not place.is_dir():
        pytest.skip(f"AUTOGRAD_CNN_DATA names no folder with {name}")
    return place


def of(name: str) -> Any:
    return pytest.mark.parametrize("folder", [name], indirect=True)


@of("cifar10-subset")
def test_cifar(folder: Path) -> None:
    for train, counts, mean in (
        (True, [1005, 974, 1032, 1016, 999, 937, 1030, 1001, 1025, 981], 121.04),
        (False, [103, 89, 100, 103, 90, 86, 112, 102, 106, 109], 121.93),
    ):
        pictures = data.CIFAR10Subset(train=train, download=False)
        assert np.bincount(pictures.targets.numpy()).tolist() == counts
        assert pictures.data.numpy().mean() == pytest.approx(mean, abs=0.01)
        assert pictures.data.shape[1:] == (32, 32, 3)
    first = data.CIFAR10Subset(folder)
    assert first.targets[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    planes = np.fromfile(folder / "data_batch_1.bin", np.uint8, 3073)[1:].reshape(3, 32, 32)
    image, label = first[0]
    np.testing.assert_array_equal(image.numpy(), planes / np.float32(255))
    assert label == 6


@of("bccd")
def test_blood_cells(folder: Path) -> None:
    pytest.importorskip("PIL", reason="pictures are read by Pillow")
    sets = {split: data.BCCD(split=split, download=False) for split in ("train", "val", "trainval", "test")}
    assert {split: len(cells) for split, cells in sets.items()} == {
        "train": 205,
        "val": 87,
        "trainval": 292,
        "test": 72,
    }
    assert {*sets["train"].names} | {*sets["val"].names} == {*sets["trainval"].names}
    labels = np.concatenate([target["labels"].numpy() for s in ("trainval", "test") for target in sets[s].targets])
    assert np.bincount(labels).tolist() == [4155 - 2, 372, 361]
    for cells in sets.values():
        for target in cells.targets:
            boxes = target["boxes"].numpy()
            assert (boxes[:, :2] < boxes[:, 2:]).all()
            assert boxes.min() >= 0
            assert (boxes.max(0) <= [640, 480, 640, 480]).all()
    image, target = sets["test"][3]
    assert (image.shape, image.dtype) == ((3, 480, 640), np.float32)
    assert 0.3 < float(image.mean()) < 0.9
    assert target["image_id"] == 3
    both = data.BCCD(split="test", transforms=lambda image, target: (image.shape, sorted(target)))
    assert both[0] == ((480, 640, 3), ["boxes", "image_id", "labels"])
    one = data.BCCD(split="test", transform=np.ndarray.mean, target_transform=lambda target: len(target["labels"]))
    assert one[3][1] == len(target["labels"])
    assert repr(sets["test"]).startswith("BCCD(72 pictures, ")


@of("membrane")
def test_membranes(folder: Path) -> None:
    pytest.importorskip("PIL", reason="pictures are read by Pillow")
    cells = data.Membrane(download=False)
    assert (cells.data.shape, cells.masks.shape) == ((30, 512, 512), (30, 512, 512))
    inside = cells.masks.numpy().mean((1, 2))
    assert 0.73 <= inside.min() < inside.max() <= 0.835
    assert inside.mean() == pytest.approx(0.78, abs=0.01)
    volume = cells.data.numpy().astype(np.float64)
    near = np.corrcoef(volume[3].ravel(), volume[4].ravel())[0, 1]
    assert near > np.corrcoef(volume[3].ravel(), volume[25].ravel())[0, 1] + 0.1
    image, mask = cells[2]
    assert (image.shape, image.dtype, mask.shape, mask.dtype) == ((1, 512, 512), np.float32, (512, 512), np.int64)
    both = data.Membrane(folder, transforms=lambda image, mask: (int(image.max()), int(mask.max())))
    assert both[0][1] == 1
    batch = next(iter(data.DataLoader(cells, 2)))
    assert [part.shape for part in batch] == [(2, 1, 512, 512), (2, 512, 512)]


@of("fir-action")
def test_thermal_film(folder: Path) -> None:
    film = data.FIRAction(subtract_background=False, download=False)
    assert [len(frames) for frames in film.frames.values()] == [563, 743, 718, 846, 471, 517, 685]
    spans = [(round(float(f.min()), 2), round(float(f.max()), 2)) for f in film.frames.values()]
    assert spans[0] == (23.57, 36.84)
    assert spans[6] == (22.43, 34.98)
    assert np.bincount([s.recording for s in film.segments]).tolist() == [15, 2, 13, 18, 9, 14, 15]
    seen = {name: [s for s in film.segments if film.classes[s.label] == name] for name in film.classes}
    assert {name: (len(s), sum(x.end - x.start for x in s)) for name, s in seen.items()} == {
        "walk": (31, 2201), "standup": (20, 814), "falling": (12, 345), "sitdown": (7, 154), "falled": (7, 251),
        "lying": (4, 201), "active": (3, 73), "sit": (1, 43), "sleeping": (1, 18),
    }  # fmt: skip
    some = data.FIRAction(window=8, stride=4, recordings=[1, 5])
    assert {clip.recording for clip in some.windows} == {1, 5}
    clip, label = some[0]
    assert (clip.shape, clip.dtype) == ((1, 8, 24, 32), np.float32)
    assert label == int(some.targets[0])
    assert abs(float(np.median(some.frames[1].numpy()))) < 0.5
    inside = [(s.recording, s.start, s.end, s.label) for s in some.segments]
    assert all(any(w[0] == s[0] and s[1] <= w[1] < w[2] <= s[2] and w[3] == s[3] for s in inside) for w in some.windows)
    for wrong in ({"recordings": [7]}, {"window": 0}, {"stride": 0}):
        with pytest.raises(ArgumentError):
            data.FIRAction(**wrong)


@of("names")
def test_names(folder: Path) -> None:
    names = data.Names(download=False)
    assert len(names) == 20_050
    counts = dict(zip(names.classes, np.bincount(names.targets.numpy()).tolist(), strict=True))
    assert len(counts) == 18
    assert (counts["Russian"], counts["Vietnamese"], counts["Arabic"]) == (9384, 73, 2000)
    lower = data.Names(folder, transform=str.lower, target_transform=lambda label: label == 0)
    assert lower[0] == (names.texts[0].lower(), True)
    assert repr(names) == "Names(20050 texts, 18 classes)"


@of("rt-polarity")
def test_reviews(folder: Path) -> None:
    reviews = data.RTPolarity(download=False)
    assert np.bincount(reviews.targets.numpy()).tolist() == [5331, 5331]
    lengths = [len(text.split()) for text in reviews.texts]
    assert (max(lengths), round(float(np.mean(lengths)), 1)) == (59, 21.0)
    assert len({token for text in reviews.texts for token in text.split()}) == 21_425
    _, test = data.stratified_split(reviews, [0.9, 0.1])
    assert abs(int(reviews.targets.numpy()[test.indices].sum()) - len(test) / 2) <= 1


@of("tinyshakespeare")
def test_shakespeare(folder: Path) -> None:
    whole = data.TinyShakespeare(split="all", length=100, download=False)
    assert (len(whole.text), len(whole.characters)) == (1_115_394, 65)
    assert whole.decode(whole.data[:200]) == whole.text[:200]
    x, y = whole[3]
    assert (x.shape, x.dtype) == ((100,), np.int64)
    assert whole.decode(x) == whole.text[300:400]
    assert whole.decode(y) == whole.text[301:401]
    x, y = whole[-1]
    assert len(x) == len(y) == 100
    with pytest.raises(IndexError):
        whole[len(whole)]
    parts = [data.TinyShakespeare(split=split, length=5, stride=1) for split in ("train", "test")]
    assert "".join(part.text for part in parts) == whole.text
    assert len(parts[1]) == len(parts[1].text) - 5
    batch = next(iter(data.DataLoader(parts[0], 7)))
    assert [part.shape for part in batch] == [(7, 5), (7, 5)]
    for wrong in ({"split": "dev"}, {"length": 0}, {"stride": 0}):
        with pytest.raises(ArgumentError):
            data.TinyShakespeare(**wrong)
    with pytest.raises(ArgumentError, match="no character"):
        whole.encode("€")


@of("timeseries")
def test_series(folder: Path) -> None:
    known = {
        "airline-passengers": (144, 104, 622, 280.30, "1949-01", "1960-12"),
        "daily-min-temperatures": (3650, 0.0, 26.3, 11.18, "1981-01-01", "1990-12-31"),
        "monthly-sunspots": (2820, 0.0, 253.8, 51.27, "1749-01", "1983-12"),
    }
    for name, (count, least, most, mean, first, last) in known.items():
        series = data.TimeSeries(name, length=10, horizon=2, download=False)
        values = series.values.numpy().astype(np.float64)
        assert (len(values), series.dates[0], series.dates[-1]) == (count, first, last)
        assert [values.min(), values.max(), values.mean()] == pytest.approx([least, most, mean], abs=0.006)
        assert len(series) == count - 11
        x, y = series[len(series) - 1]
        assert (x.shape, y.shape) == ((10, 1), (2, 1))
        assert np.concatenate([x, y]).ravel().tolist() == series.values.numpy()[-12:].tolist()
    for wrong in ({"name": "stocks"}, {"length": 0}, {"horizon": 0}):
        with pytest.raises(ArgumentError):
            data.TimeSeries(**wrong)


# What is missing or damaged

SETS: dict[Any, tuple[str, dict[str, Any]]] = {
    data.CIFAR10Subset: ("data_batch_1.bin", {}),
    data.BCCD: ("BCCD/ImageSets/Main/train.txt", {}),
    data.Membrane: ("image/0.png", {}),
    data.FIRAction: ("labels.csv", {}),
    data.Names: ("Arabic.txt", {}),
    data.RTPolarity: ("rt-polarity.neg", {}),
    data.TinyShakespeare: ("input.txt", {}),
    data.TimeSeries: ("airline-passengers.csv", {}),
}


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("AUTOGRAD_CNN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("kind", SETS, ids=lambda kind: kind.__name__)
def test_a_set_that_is_nowhere(kind: Any, nowhere: Path) -> None:
    with pytest.raises(DataError, match=r"is in none of .*download=True would fetch it"):
        kind(root=nowhere, download=False)


@pytest.mark.parametrize("kind", SETS, ids=lambda kind: kind.__name__)
def test_a_damaged_file_is_named(kind: Any, nowhere: Path) -> None:
    if kind in (data.BCCD, data.Membrane):
        pytest.importorskip("PIL", reason="pictures are read by Pillow")
    name, options = SETS[kind]
    path = nowhere / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\xff\xfe not this\n")
    if kind is data.BCCD:
        path.write_bytes(b"BloodImage_00000\n")
    if kind is data.FIRAction:
        path.write_bytes(b"20200626_154313_mlx90640_01_light_none.csv,1,x,walk,\n")
    if kind is data.TimeSeries:
        path.write_bytes(b'"Month","Passengers"\n"1949-01",many\n')
    if kind is data.TinyShakespeare:
        path.write_bytes(b"\xff")
    with pytest.raises(DataError):
        kind(root=nowhere, download=False, **options)


def test_pictures_need_pillow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingDependencyError, match="Pillow"):
        read_picture(tmp_path / "x.png", "L")


# Archives


class Response(io.BytesIO):
    def __enter__(self) -> Response:
        return self


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return stream.getvalue()


def tarred(files: dict[str, bytes], link: str = "") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as target:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo("top/c.txt")
            member.type, member.linkname = tarfile.SYMTYPE, link
            target.addfile(member)
    return stream.getvalue()


FILES = {"top/a.txt": b"A" * 10, "top/sub/b.txt": b"B", "top/other": b"no", "README": b"no"}
KEPT = {"a.txt": b"AAAA", "sub/b.txt": b"B"}
LISTED = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in KEPT.items())
GOOD = Archive(
    "https://example.org/set.zip",
    ((r"top/(a)\.txt", r"\1.txt", 4), (r"top/(sub/\w+\.txt|c\.txt)", r"\1", None)),
    hashlib.sha256(LISTED.encode()).hexdigest(),
    10_000,
)


def serving(content: bytes) -> Callable[[str], Any]:
    return lambda url: Response(content)


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_becomes_a_folder(pack: Callable[[dict[str, bytes]], bytes], nowhere: Path) -> None:
    seen: list[int] = []
    place = find_or_unpack(
        GOOD,
        "set",
        "a.txt",
        nowhere,
        download=True,
        progress=lambda *p: seen.append(p[1]),
        open_url=serving(pack(FILES)),
    )
    assert {p.relative_to(place).as_posix(): p.read_bytes() for p in place.rglob("*") if p.is_file()} == KEPT
    assert os.listdir(nowhere) == ["set"], "nothing else is left"
    assert seen
    assert find_or_unpack(GOOD, "set", "a.txt", nowhere, download=False) == place
    unpack(GOOD, place, open_url=serving(pack(FILES)))  # another process was faster
    with pytest.raises(DataError, match=r"without x\.txt; move it away"):
        find_or_unpack(GOOD, "set", "x.txt", nowhere, download=True, open_url=serving(pack(FILES)))


def failing(url: str) -> Any:
    raise OSError("no net")


BAD: dict[str, tuple[Callable[[str], Any], str]] = {
    "another byte": (serving(zipped(FILES | {"top/sub/b.txt": b"X"})), "not the real ones"),
    "one file less": (serving(zipped({"top/a.txt": b"AAAA"})), "not the real ones"),
    "one file more": (serving(zipped(FILES | {"top/sub/c.txt": b"C"})), "not the real ones"),
    "a bomb": (serving(zipped(FILES | {"top/sub/bomb.txt": bytes(10**6)})), "unpacks to more than 10000"),
    "too long": (serving(os.urandom(20_000)), "more than 10000 bytes"),
    "cut off": (serving(tarred(FILES)[:-30]), "could not unpack"),
    "no archive": (serving(b"<html>"), "could not unpack"),
    "empty": (serving(b""), "could not unpack"),
    "a link": (serving(tarred(FILES, link="/etc/passwd")), ""),
    "no net": (failing, "no net"),
}


@pytest.mark.parametrize("case", BAD)
def test_nothing_wrong_becomes_a_folder(case: str, nowhere: Path) -> None:
    open_url, message = BAD[case]
    if case == "a link":  # it is no file, so it is not kept
        unpack(GOOD, nowhere / "set", open_url=open_url)
        assert not (nowhere / "set/c.txt").is_symlink()
        return
    with pytest.raises(DataError, match=rf"https://example.org/set.zip: .*{message}"):
        unpack(GOOD, nowhere / "set", open_url=open_url)
    assert os.listdir(nowhere) == []


def test_names_in_an_archive_lead_nowhere_else(nowhere: Path) -> None:
    greedy = replace(GOOD, kept=((r"(.*)", r"\1", None),))
    for name in ("../evil", "/evil", "a/../../evil"):
        with pytest.raises(DataError, match="outside of the folder"):
            unpack(greedy, nowhere / "set", open_url=serving(zipped({name: b"x"})))
    assert not (nowhere.parent / "evil").exists()


@of("bccd")
def test_the_sums_of_the_blood_cells_are_those_of_the_real_files(folder: Path, nowhere: Path) -> None:
    """The archive as its home packs it, made of the files that are here, passes; with one byte changed it does not."""
    commit = "BCCD_Dataset-d272fb14cdff6e473fafeeeba32aba5f560e9e43"
    files = {f"{commit}/LICENSE": (folder / "LICENSE").read_bytes(), f"{commit}/README.md": b"other"}
    for path in (folder / "BCCD").rglob("*"):
        if path.is_file():
            files[f"{commit}/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    unpack(data.BCCD.archive, nowhere / "bccd", open_url=serving(zipped(files)))
    files[f"{commit}/LICENSE"] += b" "
    with pytest.raises(DataError, match="not the real ones"):
        unpack(data.BCCD.archive, nowhere / "other", open_url=serving(zipped(files)))


@of("membrane")
def test_the_sums_of_the_membranes(folder: Path, nowhere: Path) -> None:
    top = "unet-b45af4d458437d8281cc218a07fd4380818ece4a"
    files = {f"{top}/LICENSE": (folder / "LICENSE").read_bytes(), f"{top}/data/membrane/train/aug/1.png": b"no"}
    for path in folder.glob("*/*.png"):
        files[f"{top}/data/membrane/train/{path.relative_to(folder).as_posix()}"] = path.read_bytes()
    unpack(data.Membrane.archive, nowhere / "membrane", open_url=serving(zipped(files)))


@of("cifar10-subset")
def test_the_sums_of_cifar(folder: Path, nowhere: Path) -> None:
    batch = (folder / "data_batch_1.bin").read_bytes()
    head = (folder / "test_batch_first1000.bin").read_bytes()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as target:
        for name, content in (("data_batch_1.bin", batch), ("test_batch.bin", head + b"more"), ("readme.html", b"")):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            target.addfile(member, io.BytesIO(content))
    unpack(data.CIFAR10Subset.archive, nowhere / "cifar10-subset", open_url=serving(stream.getvalue()))
    assert len(data.CIFAR10Subset(nowhere, train=False, download=False)) == 1000


FOLDERS = {
    "fir-action": [data.FIRAction.labels],
    "names": [RemoteFile(*file, ()) for file in data.Names.files.values()],
    "rt-polarity": [RemoteFile(*file, ()) for file in data.RTPolarity.files.values()],
    "tinyshakespeare": [data.TinyShakespeare.file],
    "timeseries": list(data.TimeSeries.files.values()),
}


@pytest.mark.parametrize("folder", FOLDERS, indirect=True)
def test_sizes_and_sums_are_those_of_the_files(folder: Path) -> None:
    for file in FOLDERS[folder.name]:
        content = (folder / file.name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256)
    if folder.name == "fir-action":
        for file in data.FIRAction.files:
            content = gzip.decompress((folder / f"{file.name}.gz").read_bytes())
            assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256)
