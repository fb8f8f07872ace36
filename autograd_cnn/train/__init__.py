"""Training: the loop, its metrics, and checkpoints that survive a crash."""

from autograd_cnn.train.checkpoint import Checkpoint, CheckpointStore

__all__ = ["Checkpoint", "CheckpointStore"]
