"""PyTorch's place of layer, group, RMS and local response normalisation."""

from autograd_cnn.nn.groupnorm import GroupNorm as GroupNorm
from autograd_cnn.nn.layernorm import LayerNorm as LayerNorm
from autograd_cnn.nn.layernorm import RMSNorm as RMSNorm
from autograd_cnn.nn.response_norm import LocalResponseNorm as LocalResponseNorm
