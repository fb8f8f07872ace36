"""Transforms of images, each one on a single image or on a whole batch with the same outcome.

Images come in two kinds, told apart by their dtype: uint8 arrays as they are stored, (H, W) or (H, W, C), and
floating ones, (C, H, W) or (H, W), as networks take them.  `ToTensor` leads from the first to the second.  A
transform without a generator of its own draws from the loader's seed, so that a resumed run repeats the same
augmentation.
"""

from autograd_cnn.data.transforms.base import Compose as Compose
from autograd_cnn.data.transforms.base import Flatten as Flatten
from autograd_cnn.data.transforms.base import InterpolationMode as InterpolationMode
from autograd_cnn.data.transforms.base import Lambda as Lambda
from autograd_cnn.data.transforms.base import Normalize as Normalize
from autograd_cnn.data.transforms.base import Pad as Pad
from autograd_cnn.data.transforms.base import RandomAffine as RandomAffine
from autograd_cnn.data.transforms.base import RandomCrop as RandomCrop
from autograd_cnn.data.transforms.base import RandomHorizontalFlip as RandomHorizontalFlip
from autograd_cnn.data.transforms.base import Resize as Resize
from autograd_cnn.data.transforms.base import ToTensor as ToTensor
from autograd_cnn.data.transforms.base import Transform as Transform
from autograd_cnn.data.transforms.base import apply as apply
from autograd_cnn.data.transforms.base import as_image as as_image
from autograd_cnn.data.transforms.choice import RandomApply as RandomApply
from autograd_cnn.data.transforms.choice import RandomChoice as RandomChoice
from autograd_cnn.data.transforms.color import ColorJitter as ColorJitter
from autograd_cnn.data.transforms.color import Grayscale as Grayscale
from autograd_cnn.data.transforms.color import RandomGrayscale as RandomGrayscale
from autograd_cnn.data.transforms.crop import CenterCrop as CenterCrop
from autograd_cnn.data.transforms.crop import Cutout as Cutout
from autograd_cnn.data.transforms.crop import RandomErasing as RandomErasing
from autograd_cnn.data.transforms.crop import RandomResizedCrop as RandomResizedCrop
from autograd_cnn.data.transforms.mix import CutMix as CutMix
from autograd_cnn.data.transforms.mix import MixUp as MixUp
from autograd_cnn.data.transforms.turn import RandomRotation as RandomRotation
from autograd_cnn.data.transforms.turn import RandomVerticalFlip as RandomVerticalFlip
