"""Training: the loop, its metrics, and checkpoints that survive a crash."""

from autograd_cnn.train.callbacks import Checkpoints, EarlyStopping, MetricsFile
from autograd_cnn.train.checkpoint import Checkpoint, CheckpointStore
from autograd_cnn.train.trainer import Callback, DivergedError, Interrupted, Trainer

__all__ = [
    "Callback",
    "Checkpoint",
    "CheckpointStore",
    "Checkpoints",
    "DivergedError",
    "EarlyStopping",
    "Interrupted",
    "MetricsFile",
    "Trainer",
]
