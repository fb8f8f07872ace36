"""Optimizers and learning-rate schedules; names, defaults and formulas are PyTorch's."""

from autograd_cnn.optim import lr_scheduler as lr_scheduler
from autograd_cnn.optim.adam import Adam as Adam
from autograd_cnn.optim.adam import Adamax as Adamax
from autograd_cnn.optim.adam import AdamW as AdamW
from autograd_cnn.optim.adam import NAdam as NAdam
from autograd_cnn.optim.adam import RAdam as RAdam
from autograd_cnn.optim.ftrl import FTRL as FTRL
from autograd_cnn.optim.lbfgs import LBFGS as LBFGS
from autograd_cnn.optim.optimizer import Optimizer as Optimizer
from autograd_cnn.optim.rmsprop import Adadelta as Adadelta
from autograd_cnn.optim.rmsprop import Adagrad as Adagrad
from autograd_cnn.optim.rmsprop import RMSprop as RMSprop
from autograd_cnn.optim.rprop import Rprop as Rprop
from autograd_cnn.optim.sgd import ASGD as ASGD
from autograd_cnn.optim.sgd import SGD as SGD
