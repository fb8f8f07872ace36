"""PyTorch's place of losses."""

from autograd_cnn.nn.loss import BCELoss as BCELoss
from autograd_cnn.nn.loss import BCEWithLogitsLoss as BCEWithLogitsLoss
from autograd_cnn.nn.loss import CrossEntropyLoss as CrossEntropyLoss
from autograd_cnn.nn.loss import CTCLoss as CTCLoss
from autograd_cnn.nn.loss import GaussianNLLLoss as GaussianNLLLoss
from autograd_cnn.nn.loss import HuberLoss as HuberLoss
from autograd_cnn.nn.loss import KLDivLoss as KLDivLoss
from autograd_cnn.nn.loss import L1Loss as L1Loss
from autograd_cnn.nn.loss import Loss as Loss
from autograd_cnn.nn.loss import MSELoss as MSELoss
from autograd_cnn.nn.loss import NLLLoss as NLLLoss
from autograd_cnn.nn.loss import PoissonNLLLoss as PoissonNLLLoss
from autograd_cnn.nn.loss import SmoothL1Loss as SmoothL1Loss
from autograd_cnn.nn.loss import WeightedLoss as WeightedLoss
from autograd_cnn.nn.margin_loss import CosineEmbeddingLoss as CosineEmbeddingLoss
from autograd_cnn.nn.margin_loss import HingeEmbeddingLoss as HingeEmbeddingLoss
from autograd_cnn.nn.margin_loss import MarginRankingLoss as MarginRankingLoss
from autograd_cnn.nn.margin_loss import MultiLabelMarginLoss as MultiLabelMarginLoss
from autograd_cnn.nn.margin_loss import MultiLabelSoftMarginLoss as MultiLabelSoftMarginLoss
from autograd_cnn.nn.margin_loss import MultiMarginLoss as MultiMarginLoss
from autograd_cnn.nn.margin_loss import SoftMarginLoss as SoftMarginLoss
from autograd_cnn.nn.margin_loss import TripletMarginLoss as TripletMarginLoss
from autograd_cnn.nn.margin_loss import TripletMarginWithDistanceLoss as TripletMarginWithDistanceLoss

_Loss = Loss
_WeightedLoss = WeightedLoss
