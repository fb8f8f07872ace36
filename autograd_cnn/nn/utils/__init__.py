"""What is done to modules and their parameters from outside."""

from autograd_cnn.nn.utils import fusion as fusion
from autograd_cnn.nn.utils import rnn as rnn
from autograd_cnn.nn.utils.clip_grad import clip_grad_norm as clip_grad_norm
from autograd_cnn.nn.utils.clip_grad import clip_grad_norm_ as clip_grad_norm_
from autograd_cnn.nn.utils.clip_grad import clip_grad_value_ as clip_grad_value_
from autograd_cnn.nn.utils.clip_grad import clip_grads_with_norm_ as clip_grads_with_norm_
from autograd_cnn.nn.utils.clip_grad import get_total_norm as get_total_norm
from autograd_cnn.nn.utils.convert_parameters import l1_penalty as l1_penalty
from autograd_cnn.nn.utils.convert_parameters import parameters_to_vector as parameters_to_vector
from autograd_cnn.nn.utils.convert_parameters import vector_to_parameters as vector_to_parameters
from autograd_cnn.nn.utils.fusion import fuse_conv_bn_eval as fuse_conv_bn_eval
from autograd_cnn.nn.utils.fusion import fuse_conv_bn_weights as fuse_conv_bn_weights
from autograd_cnn.nn.utils.fusion import fuse_linear_bn_eval as fuse_linear_bn_eval
from autograd_cnn.nn.utils.fusion import fuse_linear_bn_weights as fuse_linear_bn_weights
from autograd_cnn.nn.utils.spectral_norm import remove_spectral_norm as remove_spectral_norm
from autograd_cnn.nn.utils.spectral_norm import spectral_norm as spectral_norm
from autograd_cnn.nn.utils.weight_norm import remove_weight_norm as remove_weight_norm
from autograd_cnn.nn.utils.weight_norm import weight_norm as weight_norm
