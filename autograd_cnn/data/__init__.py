"""Data sets, the loader that makes batches of them, and transforms of images."""

from autograd_cnn.data import transforms as transforms
from autograd_cnn.data.bccd import BCCD
from autograd_cnn.data.bundled import XOR, Digits
from autograd_cnn.data.cifar import CIFAR10Subset
from autograd_cnn.data.collate import default_collate, default_convert
from autograd_cnn.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
    stratified_split,
)
from autograd_cnn.data.fir_action import FIRAction
from autograd_cnn.data.image_dataset import ImageDataset
from autograd_cnn.data.loader import DataLoader
from autograd_cnn.data.membrane import Membrane
from autograd_cnn.data.mnist import MNIST, FashionMNIST
from autograd_cnn.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from autograd_cnn.data.text import Names, RTPolarity, TinyShakespeare
from autograd_cnn.data.timeseries import TimeSeries
from autograd_cnn.data.worker import WorkerInfo, get_worker_info

__all__ = [
    "BCCD",
    "MNIST",
    "XOR",
    "BatchSampler",
    "CIFAR10Subset",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "Digits",
    "FIRAction",
    "FashionMNIST",
    "ImageDataset",
    "IterableDataset",
    "Membrane",
    "Names",
    "RTPolarity",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "TimeSeries",
    "TinyShakespeare",
    "WeightedRandomSampler",
    "WorkerInfo",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
    "stratified_split",
    "transforms",
]
