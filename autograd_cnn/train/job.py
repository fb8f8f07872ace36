"""The job behind `autograd-cnn train`: a named model on a named data set, with all its files in one folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from autograd_cnn import data, models, optim, random, serialize
from autograd_cnn.data.download import Progress
from autograd_cnn.errors import ArgumentError, CheckpointError
from autograd_cnn.optim import lr_scheduler
from autograd_cnn.train.callbacks import Checkpoints, EarlyStopping, MetricsFile
from autograd_cnn.train.checkpoint import Checkpoint, CheckpointStore
from autograd_cnn.train.sources import SOURCES, DataSource
from autograd_cnn.train.trainer import Callback, Trainer

OPTIMIZERS = {"sgd": optim.SGD, "adam": optim.Adam, "adamw": optim.AdamW, "rmsprop": optim.RMSprop}
SCHEDULERS = ("none", "step", "exponential", "cosine")
SAMPLE = 8  # images in the batch whose backward graph is drawn
_FREE = {"epochs", "patience", "checkpoint_every"}  # what a resumed run may change
_MADE_FOR_EPOCHS = {"step", "cosine"}  # schedules that depend on the number of epochs


@dataclass(frozen=True)
class Settings:
    """What a run is made of; saved with its checkpoints, so that a resumed run is the same run."""

    model: str
    data: str
    epochs: int
    batch_size: int = 32
    optimizer: str = "adam"
    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.0
    scheduler: str = "none"
    augment: bool = False
    patience: int | None = None
    seed: int = 0
    checkpoint_every: int | None = None

    def __str__(self) -> str:
        epochs = "1 epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        words = [epochs, f"batches of {self.batch_size}", f"{self.optimizer}, lr {self.lr:g}"]
        if self.optimizer == "sgd":
            words.append(f"momentum {self.momentum:g}")
        words.append(f"weight decay {self.weight_decay:g}")
        words.append("constant rate" if self.scheduler == "none" else f"{self.scheduler} schedule")
        words.append("augmentation" if self.augment else "no augmentation")
        if self.patience is not None:
            words.append(f"patience {self.patience}")
        return ", ".join([*words, f"seed {self.seed}"])


def settings_for(model: str, data_name: str, **given: Any) -> Settings:
    """Settings with the data set's defaults where nothing is given (None).

    Errors: `ArgumentError` for a name that is unknown, or augmentation where the data set has none.

    >>> settings_for("mlp", "xor", epochs=None, lr=0.1).lr
    0.1
    """
    network = model_class(model)
    source = _known("data set", data_name, SOURCES)
    defaults = dict(source.defaults)
    if network.image_size is None:
        defaults["augment"] = False  # made for convolutions: dense layers are too small, or see too few pixels
    chosen = {name: value for name, value in given.items() if value is not None}
    settings = Settings(model, data_name, **(defaults | chosen))
    _known("optimizer", settings.optimizer, OPTIMIZERS)
    _known("scheduler", settings.scheduler, dict.fromkeys(SCHEDULERS, True))
    if settings.augment and source.augmentation is None:
        raise ArgumentError(f"train: there is no augmentation for {data_name}")
    for name in ("epochs", "batch_size"):
        if getattr(settings, name) < 1:
            raise ArgumentError(f"train: {name} must be at least 1, got {getattr(settings, name)}")
    return settings


def model_class(name: str) -> Any:
    """The class of a named network; ArgumentError for an unknown name."""
    return _known("model", name, models.MODELS)


def build_model(model: str, data_name: str) -> tuple[Any, tuple[int, ...]]:
    """A model for the shapes of a data set, and the shape of its inputs; ShapeError where they do not fit."""
    network, source = model_class(model), SOURCES[data_name]
    shape = source.shape_at(network.image_size)
    return network.for_data(shape, source.classes), shape


def build_optimizer(settings: Settings, model: Any) -> optim.Optimizer:
    """The optimizer that the settings name, on the parameters of a model."""
    options: dict[str, Any] = {"lr": settings.lr, "weight_decay": settings.weight_decay}
    if settings.optimizer == "sgd":
        options["momentum"] = settings.momentum
    optimizer: optim.Optimizer = OPTIMIZERS[settings.optimizer](model.parameters(), **options)
    return optimizer


def build_scheduler(settings: Settings, optimizer: optim.Optimizer) -> Any:
    """The schedule that the settings name, or None."""
    schedules: dict[str, Callable[[], Any]] = {
        "none": lambda: None,
        "step": lambda: lr_scheduler.StepLR(optimizer, max(1, settings.epochs // 3)),
        "exponential": lambda: lr_scheduler.ExponentialLR(optimizer, 0.9),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, settings.epochs),
    }
    return schedules[settings.scheduler]()


def evaluation_batch(settings: Settings) -> int:
    """Images a batch in evaluation, where larger ones cost nothing."""
    return max(settings.batch_size, 250)


class Job:
    """One run: model, data, optimizer, files.  Make it by `Job.new` or `Job.resume`; `run()` trains.

    resumed_from: the step at which it continues; None for a new run.
    """

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        checkpoint: Checkpoint | None,
        callbacks: tuple[Callback, ...] = (),
        progress: Progress | None = None,
    ) -> None:
        self.settings = settings
        self.folder = folder
        random.manual_seed(settings.seed)
        self.model, _ = build_model(settings.model, settings.data)
        source: DataSource = SOURCES[settings.data]
        size = model_class(settings.model).image_size
        self.train_set = source.load(True, size, settings.augment, progress)
        self.held_out = source.load(False, size, False, progress)
        self.train_loader = data.DataLoader(
            self.train_set, settings.batch_size, shuffle=True, seed=settings.seed, prefetch=2
        )
        self.held_out_loader = data.DataLoader(self.held_out, evaluation_batch(settings))
        self.checkpoints = Checkpoints(
            CheckpointStore(folder / "checkpoints"), settings.checkpoint_every, {"settings": asdict(settings)}
        )
        stopping = [] if settings.patience is None else [EarlyStopping(patience=settings.patience)]
        optimizer = build_optimizer(settings, self.model)
        self.trainer = Trainer(
            self.model,
            optimizer,
            self.model.criterion(),
            scheduler=build_scheduler(settings, optimizer),
            callbacks=[*stopping, MetricsFile(folder / "metrics.csv"), self.checkpoints, *callbacks],
            interrupt_notice="stopping after this step; once more stops at once",
        )
        self.resumed_from: int | None = None
        if checkpoint is not None:
            self.model.load_state_dict(checkpoint.model)
            optimizer.load_state_dict(checkpoint.optim)
            self.trainer.load_state_dict(checkpoint.state["trainer"], self.train_loader)
            self.resumed_from = checkpoint.step

    @classmethod
    def new(cls, settings: Settings, folder: str | os.PathLike[str], **watching: Any) -> Job:
        """A run from the start.  CheckpointError where the folder holds a run, or cannot be written to."""
        folder = Path(folder)
        _refuse_other_run(folder)
        job = cls(settings, folder, None, **watching)
        _make_writable(folder)
        return job

    @classmethod
    def resume(cls, folder: str | os.PathLike[str], given: Mapping[str, Any], **watching: Any) -> Job:
        """The run of a folder, from its newest sound checkpoint, with the settings that it was started with.

        given: settings that are asked for; None for those that are not.  What may change is how long to train and
        when to save: CheckpointError for any other difference, and where there is no sound checkpoint.
        """
        folder = Path(folder)
        if not (folder / "checkpoints").is_dir():
            raise CheckpointError(f"{folder}: no run to resume here; start one without --resume")
        checkpoint = CheckpointStore(folder / "checkpoints").load()
        settings = _merged(_saved_settings(checkpoint, folder), given, folder)
        _make_writable(folder)
        return cls(settings, folder, checkpoint, **watching)

    def run(self) -> list[dict[str, Any]]:
        """Trains to the end and saves the weights; returns the history."""
        history = self.trainer.fit(self.train_loader, self.held_out_loader, self.settings.epochs)
        metadata = {"model": self.settings.model, "data": self.settings.data}
        serialize.save(self.model.state_dict(), self.folder / "model.safetensors", metadata)
        return history

    def sample_loss(self) -> Any:
        """The recorded loss of the first few held-out images, for a picture of its graph."""
        x, target = next(iter(data.DataLoader(self.held_out, min(SAMPLE, len(self.held_out)))))
        return self.model.criterion()(self.model(x), target)


def _known(kind: str, name: str, table: Mapping[str, Any]) -> Any:
    if name not in table:
        raise ArgumentError(f"train: there is no {kind} {name!r}; there is {', '.join(table)}")
    return table[name]


def _refuse_other_run(folder: Path) -> None:
    """CheckpointError where a new run would overwrite another."""
    if any((folder / "checkpoints").glob("step-*")) or (folder / "model.safetensors").exists():
        raise CheckpointError(f"{folder} holds a run already; continue it with --resume, or choose another --out")


def _make_writable(folder: Path) -> None:
    """Makes the folder; CheckpointError where nothing can be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CheckpointError(f"cannot write to {folder}: {error.strerror}; choose another --out") from error


def _saved_settings(checkpoint: Checkpoint, folder: Path) -> Settings:
    names = {field.name for field in fields(Settings)}
    saved = checkpoint.state.get("settings", {})
    if saved.keys() != names:
        raise CheckpointError(f"{folder}: made by another version: settings {sorted(saved)}, expected {sorted(names)}")
    return Settings(**saved)


def _merged(saved: Settings, given: Mapping[str, Any], folder: Path) -> Settings:
    """The saved settings with those that may change; CheckpointError for others that are given and differ."""
    free = _FREE - {"epochs"} if saved.scheduler in _MADE_FOR_EPOCHS else _FREE
    new = {name: value for name, value in given.items() if value is not None and value != getattr(saved, name)}
    fixed = [f"{name} was {getattr(saved, name)!r}, is {value!r}" for name, value in new.items() if name not in free]
    if "epochs" in new and "epochs" not in free:
        fixed.append(f"the {saved.scheduler} schedule was made for {saved.epochs} epochs")
    if fixed:
        raise CheckpointError(f"{folder}: cannot resume with other settings: {'; '.join(fixed)}")
    return replace(saved, **new)
