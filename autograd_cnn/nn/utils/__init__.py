"""What is done to modules and their parameters from outside."""

from autograd_cnn.nn.utils import fusion as fusion
from autograd_cnn.nn.utils import rnn as rnn
