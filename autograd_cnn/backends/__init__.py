"""The libraries that PyTorch computes with, each by its name: none of them is used here, and each says so.

Switches such as `cudnn.benchmark` can be set and read, and change nothing: a kernel is the same on every run.

>>> import autograd_cnn as ag
>>> ag.backends.cudnn.benchmark = True
>>> ag.backends.cudnn.is_available(), ag.backends.mps.is_available(), ag.backends.mkl.is_available()
(False, False, False)
"""

from autograd_cnn.backends import cuda as cuda
from autograd_cnn.backends import cudnn as cudnn
from autograd_cnn.backends import mkl as mkl
from autograd_cnn.backends import mkldnn as mkldnn
from autograd_cnn.backends import mps as mps
from autograd_cnn.backends import openmp as openmp
