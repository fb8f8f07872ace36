"""Named networks.  Each is a module with `for_data(shape, classes)` and the `criterion()` it is trained by."""

from autograd_cnn.models.lenet5 import LeNet5 as LeNet5
from autograd_cnn.models.mlp import MLP as MLP
from autograd_cnn.models.perceptron import Perceptron as Perceptron
from autograd_cnn.models.simplecnn import SimpleCNN as SimpleCNN

MODELS = {"perceptron": Perceptron, "mlp": MLP, "lenet5": LeNet5, "simplecnn": SimpleCNN}
