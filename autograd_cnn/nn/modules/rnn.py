"""PyTorch's place of recurrent layers."""

from autograd_cnn.nn.recurrent import GRU as GRU
from autograd_cnn.nn.recurrent import LSTM as LSTM
from autograd_cnn.nn.recurrent import RNN as RNN
from autograd_cnn.nn.recurrent import RNNBase as RNNBase
from autograd_cnn.nn.recurrent_cell import GRUCell as GRUCell
from autograd_cnn.nn.recurrent_cell import LSTMCell as LSTMCell
from autograd_cnn.nn.recurrent_cell import RNNCell as RNNCell
from autograd_cnn.nn.recurrent_cell import RNNCellBase as RNNCellBase
