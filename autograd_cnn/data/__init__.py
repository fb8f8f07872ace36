"""Data sets, the loader that makes batches of them, and transforms of images."""

from autograd_cnn.data import transforms as transforms
from autograd_cnn.data.bundled import XOR, Digits
from autograd_cnn.data.collate import default_collate
from autograd_cnn.data.dataset import (
    ConcatDataset,
    Dataset,
    Subset,
    TensorDataset,
    random_split,
    stratified_split,
)
from autograd_cnn.data.image_dataset import ImageDataset
from autograd_cnn.data.loader import DataLoader
from autograd_cnn.data.mnist import MNIST, FashionMNIST

__all__ = [
    "MNIST",
    "XOR",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "Digits",
    "FashionMNIST",
    "ImageDataset",
    "Subset",
    "TensorDataset",
    "default_collate",
    "random_split",
    "stratified_split",
    "transforms",
]
