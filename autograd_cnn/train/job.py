"""The job behind `autograd-cnn train`: a named model on a named data set, with all its files in one folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from autograd_cnn import data, models, optim, random, serialize
from autograd_cnn.errors import ArgumentError, CheckpointError
from autograd_cnn.optim import lr_scheduler
from autograd_cnn.train.callbacks import Checkpoints, EarlyStopping, MetricsFile
from autograd_cnn.train.checkpoint import CheckpointStore
from autograd_cnn.train.trainer import Callback, Trainer


@dataclass(frozen=True)
class DataSource:
    """A data set by name: how to load it, and how long to train on it unless told."""

    load: Callable[[bool, int | None], Any]
    shape: tuple[int, ...]
    classes: int
    epochs: int
    batch_size: int


def _digits(train: bool, size: int | None) -> Any:
    return data.Digits(train=train, size=size)


def _mnist(train: bool, size: int | None) -> Any:
    return data.MNIST(train=train)


def _fashion(train: bool, size: int | None) -> Any:
    return data.FashionMNIST(train=train)


def _xor(train: bool, size: int | None) -> Any:
    return data.XOR()


SOURCES = {
    "digits": DataSource(_digits, (1, 8, 8), 10, epochs=20, batch_size=32),
    "mnist": DataSource(_mnist, (1, 28, 28), 10, epochs=3, batch_size=64),
    "fashion-mnist": DataSource(_fashion, (1, 28, 28), 10, epochs=5, batch_size=64),
    "xor": DataSource(_xor, (2,), 2, epochs=500, batch_size=4),
}
OPTIMIZERS = {"sgd": optim.SGD, "adam": optim.Adam, "adamw": optim.AdamW, "rmsprop": optim.RMSprop}
SCHEDULERS = ("none", "step", "exponential", "cosine")


@dataclass(frozen=True)
class Settings:
    """What a run is made of; saved with its checkpoints, so that a resumed run is the same run."""

    model: str
    data: str
    epochs: int
    batch_size: int
    optimizer: str = "adam"
    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.0
    scheduler: str = "none"
    patience: int | None = None
    seed: int = 0
    checkpoint_every: int | None = None


class Job:
    """One run: model, data, optimizer, files.  `run()` trains; `resumed_from` is the step it continues at.

    Raises ArgumentError for an unknown name, CheckpointError where there is nothing sound to resume, or something
    to overwrite.
    """

    def __init__(
        self, settings: Settings, folder: str | os.PathLike[str], *, resume: bool = False, callbacks: tuple[Callback, ...] = ()
    ) -> None:
        self.settings = settings
        self.folder = Path(folder)
        _known("model", settings.model, models.MODELS)
        source = _known("data set", settings.data, SOURCES)
        _known("optimizer", settings.optimizer, OPTIMIZERS)
        _known("scheduler", settings.scheduler, dict.fromkeys(SCHEDULERS, True))
        if settings.epochs < 1:
            raise ArgumentError(f"train: epochs must be at least 1, got {settings.epochs}")
        store = CheckpointStore(self.folder / "checkpoints")
        _writable(self.folder)
        checkpoint = store.load() if resume else None
        if checkpoint is None and store.latest() is not None:
            raise CheckpointError(
                f"{self.folder} holds a run already (step {store.latest()}); continue it with --resume, "
                "or choose another folder with --out"
            )
        if checkpoint is not None:
            _same_run(settings, checkpoint.state["settings"], self.folder)
        random.manual_seed(settings.seed)
        model_class = models.MODELS[settings.model]
        size = model_class.image_size
        shape = source.shape if size is None or settings.data == "xor" else (source.shape[0], size, size)
        self.model = model_class.for_data(shape, source.classes)
        self.train_set, self.held_out = source.load(True, size), source.load(False, size)
        self.train_loader = data.DataLoader(
            self.train_set, settings.batch_size, shuffle=True, seed=settings.seed, prefetch=2
        )
        self.held_out_loader = data.DataLoader(self.held_out, max(settings.batch_size, 250))
        self.checkpoints = Checkpoints(store, settings.checkpoint_every, {"settings": asdict(settings)})
        watching: list[Callback] = [MetricsFile(self.folder / "metrics.csv")]
        if settings.patience is not None:
            watching.append(EarlyStopping(patience=settings.patience))
        optimizer = self._optimizer()
        self.trainer = Trainer(
            self.model,
            optimizer,
            self.model.criterion(),
            scheduler=self._scheduler(optimizer),
            callbacks=[*watching, self.checkpoints, *callbacks],
        )
        self.resumed_from: int | None = None
        if checkpoint is not None:
            self.model.load_state_dict(checkpoint.model)
            optimizer.load_state_dict(checkpoint.optim)
            self.trainer.load_state_dict(checkpoint.state["trainer"], self.train_loader)
            self.resumed_from = checkpoint.step

    def _optimizer(self) -> optim.Optimizer:
        settings = self.settings
        options: dict[str, Any] = {"lr": settings.lr, "weight_decay": settings.weight_decay}
        if settings.optimizer == "sgd":
            options["momentum"] = settings.momentum
        return OPTIMIZERS[settings.optimizer](self.model.parameters(), **options)

    def _scheduler(self, optimizer: optim.Optimizer) -> Any:
        epochs = self.settings.epochs
        schedules: dict[str, Callable[[], Any]] = {
            "none": lambda: None,
            "step": lambda: lr_scheduler.StepLR(optimizer, max(1, epochs // 3)),
            "exponential": lambda: lr_scheduler.ExponentialLR(optimizer, 0.9),
            "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, epochs),
        }
        return schedules[self.settings.scheduler]()

    def run(self) -> list[dict[str, Any]]:
        """Trains to the end and saves the weights; returns the history."""
        history = self.trainer.fit(self.train_loader, self.held_out_loader, self.settings.epochs)
        metadata = {"model": self.settings.model, "data": self.settings.data}
        serialize.save(self.model.state_dict(), self.folder / "model.safetensors", metadata)
        return history

    def sample_loss(self) -> Any:
        """The recorded loss of the first few held-out images, for a picture of its graph."""
        batch = min(8, len(self.held_out))
        x, target = next(iter(data.DataLoader(self.held_out, batch)))
        return self.model.criterion()(self.model(x), target)


def _known(kind: str, name: str, table: dict[str, Any]) -> Any:
    if name not in table:
        raise ArgumentError(f"train: there is no {kind} {name!r}; there is {', '.join(table)}")
    return table[name]


def _writable(folder: Path) -> None:
    """Makes the folder; CheckpointError where nothing can be written to it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CheckpointError(f"cannot write to {folder}: {error.strerror}; choose another folder with --out") from error


def _same_run(settings: Settings, saved: dict[str, Any], folder: Path) -> None:
    """A run may be resumed for more epochs, with other patience or saving; all else must be as it was."""
    free = {"epochs", "patience", "checkpoint_every"} if settings.scheduler == "none" else {"patience", "checkpoint_every"}
    changed = [
        f"{name} was {saved.get(name)!r}, is {value!r}"
        for name, value in asdict(settings).items()
        if name not in free and saved.get(name) != value
    ]
    if changed:
        raise CheckpointError(f"{folder}: cannot resume with other settings: {'; '.join(changed)}")


def settings_for(model: str, data_name: str, **given: Any) -> Settings:
    """Settings with the data set's defaults where nothing is given (None).

    >>> settings_for("lenet5", "digits", epochs=None).epochs
    20
    """
    source = _known("data set", data_name, SOURCES)
    base = Settings(model, data_name, source.epochs, source.batch_size)
    return replace(base, **{name: value for name, value in given.items() if value is not None})
