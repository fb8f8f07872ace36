"""PyTorch's place of transformers."""

from autograd_cnn.nn.transformer import Transformer as Transformer
from autograd_cnn.nn.transformer import TransformerDecoder as TransformerDecoder
from autograd_cnn.nn.transformer import TransformerDecoderLayer as TransformerDecoderLayer
from autograd_cnn.nn.transformer import TransformerEncoder as TransformerEncoder
from autograd_cnn.nn.transformer import TransformerEncoderLayer as TransformerEncoderLayer
