"""Training checkpoints: folders `step-00000123/` that are complete and unaltered, or are not loaded."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autograd_cnn import state_tree
from autograd_cnn.durable import (
    TEMPORARY_PREFIX,
    Buffer,
    locked_folder,
    sync_folder,
    temporary_name,
    write_new_file,
)
from autograd_cnn.errors import ArgumentError, CheckpointError
from autograd_cnn.serialize import decode_json, decode_state, encode_json, encode_state, read_checked

FORMAT = 1
MANIFEST = "manifest.json"
FILES = ("model.safetensors", "optim.safetensors", "state.json")

# A checkpoint that is being written anew is set aside as `.old` until the new one has its name.
_FOLDER = re.compile(r"step-(\d{8,})(\.old)?")


@dataclass(frozen=True)
class Checkpoint:
    """What one checkpoint holds, as it was given to `CheckpointStore.save`; the model as arrays."""

    step: int
    model: dict[str, np.ndarray]
    optim: Any
    state: Any


@dataclass(frozen=True)
class _Manifest:
    """A checkpoint folder whose manifest is sound; its files are still to be checked."""

    folder: Path
    step: int
    sequence: int  # counts the saves of a store: after going back to an earlier step, newest is not highest step
    files: dict[str, dict[str, Any]]


class CheckpointStore:
    """The checkpoints of one training run, in one folder, of which the `keep` newest sound ones are kept.

    A checkpoint is written under a temporary name, flushed to the disk and renamed, so that a process that is
    killed, a full disk or a power cut leaves the earlier ones as they were.  Loading reads everything and
    checks every SHA-256 before it returns anything.  One process at a time writes to a folder.

    keep: at least 2, so that one damaged checkpoint does not end a run.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = CheckpointStore(folder)
    ...     path = store.save(3, {"w": np.zeros(2)}, {"state": {0: {"step": 3}}}, {"epoch": 1})
    ...     path.name, store.latest(), store.load().optim
    ('step-00000003', 3, {'state': {0: {'step': 3}}})
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int = 2) -> None:
        if keep < 2:
            raise ArgumentError(f"CheckpointStore: keep is {keep}; at least 2 are kept, as one may be damaged")
        self.folder = Path(folder)
        self.keep = keep

    def save(self, step: int, model: Mapping[str, Any], optim: Any, state: Any) -> Path:
        """Writes the checkpoint of a step, removes leftovers and what is older than the `keep` newest.

        step: 0 or more; the same step may be saved again.
        model: name -> array or Tensor.  optim, state: nested dicts, lists and tuples of
            numbers, strings and arrays.
        Errors: `CheckpointError` with path, bytes and the system's reason; the earlier checkpoints then stay.
        """
        if step < 0:
            raise ArgumentError(f"CheckpointStore.save: step is {step}, less than 0")
        content = _encode(step, model, optim, state)
        final = self.folder / _name(step)
        try:
            self._make_folder()
            with locked_folder(self.folder):
                self._clean()
                sequence = 1 + max((manifest.sequence for manifest in self._manifests()), default=0)
                content[MANIFEST] = (_manifest(step, sequence, content),)
                self._write(final, content)
                self._rotate(final)
        except OSError as error:
            size = sum(memoryview(part).nbytes for parts in content.values() for part in parts)
            raise CheckpointError(f"{final}: could not save a checkpoint of {size} bytes: {error}") from error
        return final

    def latest(self) -> int | None:
        """The step of the newest sound checkpoint, or None; unsound ones are passed over with a warning."""
        for manifest in self._newest_first():
            try:
                _read_files(manifest)
            except CheckpointError as error:
                _warn(error)
            else:
                return manifest.step
        return None

    def load(self, step: int | None = None) -> Checkpoint:
        """The checkpoint of a step, or the newest sound one.

        Errors: `CheckpointError` if that step is missing or unsound, or if no checkpoint is sound.
        """
        if step is not None:
            return _decode(_read_manifest(self._folder_of(step)))
        for manifest in self._newest_first():
            try:
                return _decode(manifest)
            except CheckpointError as error:
                _warn(error)
        raise CheckpointError(f"{self.folder}: no sound checkpoint here")

    def _folder_of(self, step: int) -> Path:
        folder = self.folder / _name(step)
        aside = folder.with_suffix(".old")
        return aside if aside.is_dir() and not folder.is_dir() else folder

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if _FOLDER.fullmatch(path.name))

    def _manifests(self) -> Iterator[_Manifest]:
        for folder in self._folders():
            try:
                yield _read_manifest(folder)
            except CheckpointError as error:
                _warn(error)

    def _newest_first(self) -> list[_Manifest]:
        return sorted(self._manifests(), key=lambda m: (m.sequence, m.step), reverse=True)

    def _make_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self.folder.parent)

    def _clean(self) -> None:
        """Removes what a crash left, and gives a checkpoint its name back that was set aside at the time."""
        for leftover in self.folder.glob(f"{TEMPORARY_PREFIX}*"):
            _remove(leftover)
        for aside in self.folder.glob("step-*.old"):
            name = aside.with_suffix("")
            if name.exists():
                _remove(aside)
            else:
                aside.rename(name)

    def _write(self, final: Path, content: Mapping[str, tuple[Buffer, ...]]) -> None:
        temporary = self.folder / temporary_name(final.name)
        try:
            temporary.mkdir()
            for name, parts in content.items():
                write_new_file(temporary / name, *parts)
            sync_folder(temporary)
            aside = final.with_suffix(".old")
            replaces = final.exists()
            if replaces:
                final.rename(aside)
            temporary.rename(final)
            sync_folder(self.folder)
            if replaces:
                _remove(aside)
        except BaseException:
            with suppress(OSError):
                _remove(temporary)
            raise

    def _rotate(self, new: Path) -> None:
        """Removes what is older than the `keep` newest sound checkpoints; a failure only warns."""
        kept: list[_Manifest] = []
        try:
            for manifest in self._newest_first():
                if len(kept) == self.keep:
                    _remove(manifest.folder)
                elif manifest.folder == new or _is_sound(manifest):
                    kept.append(manifest)
        except OSError as error:
            warnings.warn(f"{self.folder}: could not remove an old checkpoint: {error}", stacklevel=3)


def _name(step: int) -> str:
    return f"step-{step:08d}"


def _encode(step: int, model: Mapping[str, Any], optim: Any, state: Any) -> dict[str, tuple[Buffer, ...]]:
    slots: dict[str, np.ndarray] = {}
    tree = {"step": step, "optim": state_tree.encode(optim, slots), "state": state_tree.encode(state)}
    return dict(zip(FILES, (encode_state(model), encode_state(slots), (encode_json(tree),)), strict=True))


def _manifest(step: int, sequence: int, content: Mapping[str, tuple[Buffer, ...]]) -> bytes:
    files = {}
    for name, parts in content.items():
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        files[name] = {"bytes": sum(memoryview(part).nbytes for part in parts), "sha256": digest.hexdigest()}
    return encode_json({"format": FORMAT, "step": step, "sequence": sequence, "files": files})


def _read_manifest(folder: Path) -> _Manifest:
    path = folder / MANIFEST
    if folder.is_symlink():
        raise CheckpointError(f"{folder}: a symbolic link; pass the folder it points to")
    content = decode_json(read_checked(path), path)
    try:
        manifest = _Manifest(folder, content["step"], content["sequence"], content["files"])
        if content["format"] != FORMAT:
            raise CheckpointError(f"{path}: format {content['format']}; this version reads format {FORMAT}")
        if not isinstance(manifest.sequence, int):
            raise TypeError(f"sequence {manifest.sequence!r}")
        sound = manifest.files.keys() == set(FILES) and folder.name.removesuffix(".old") == _name(manifest.step)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: not a checkpoint's manifest: {error!r}") from error
    if not sound:
        raise CheckpointError(f"{path}: lists {[*manifest.files]} of step {manifest.step}: not this folder's")
    return manifest


def _read_files(manifest: _Manifest) -> dict[str, bytes]:
    """The bytes of every file, once each is known to be what the manifest says."""
    content = {}
    for name, expected in manifest.files.items():
        path = manifest.folder / name
        data = read_checked(path)
        found = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        if found != expected:
            raise CheckpointError(f"{path}: torn or altered: {found} is not the manifest's {expected}")
        content[name] = data
    return content


def _decode(manifest: _Manifest) -> Checkpoint:
    content = _read_files(manifest)
    model, slots = (decode_state(content[name], manifest.folder / name).tensors for name in FILES[:2])
    path = manifest.folder / FILES[2]
    tree = decode_json(content[FILES[2]], path)
    try:
        optim, state = state_tree.decode(tree["optim"], slots), state_tree.decode(tree["state"])
    except (KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: not a checkpoint's state: {error!r}") from error
    return Checkpoint(manifest.step, model, optim, state)


def _is_sound(manifest: _Manifest) -> bool:
    try:
        _read_files(manifest)
    except CheckpointError as error:
        _warn(error)
        return False
    return True


def _warn(error: CheckpointError) -> None:
    warnings.warn(f"checkpoint passed over: {error}", stacklevel=4)


def _remove(path: Path) -> None:
    """Removes a file or a folder; a folder loses its name first, so that half of one is never seen."""
    if path.is_dir() and not path.is_symlink():
        if not path.name.startswith(TEMPORARY_PREFIX):
            path = path.rename(path.parent / temporary_name(path.name))
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
