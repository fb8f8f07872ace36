"""PyTorch's place of the loader and what goes with it."""

from autograd_cnn.data.collate import default_collate as default_collate
from autograd_cnn.data.collate import default_convert as default_convert
from autograd_cnn.data.loader import DataLoader as DataLoader
from autograd_cnn.data.worker import get_worker_info as get_worker_info
