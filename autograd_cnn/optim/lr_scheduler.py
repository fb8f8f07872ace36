"""Learning-rate schedules: change the rate of each parameter group from epoch to epoch."""

from autograd_cnn.optim.schedule import LRScheduler as LRScheduler
from autograd_cnn.optim.schedule import LRScheduler as _LRScheduler  # noqa: F401 - its old name, which scripts derive from
from autograd_cnn.optim.schedule_chains import ChainedScheduler as ChainedScheduler
from autograd_cnn.optim.schedule_chains import SequentialLR as SequentialLR
from autograd_cnn.optim.schedule_cycles import CyclicLR as CyclicLR
from autograd_cnn.optim.schedule_cycles import OneCycleLR as OneCycleLR
from autograd_cnn.optim.schedule_formulas import ConstantLR as ConstantLR
from autograd_cnn.optim.schedule_formulas import CosineAnnealingLR as CosineAnnealingLR
from autograd_cnn.optim.schedule_formulas import CosineAnnealingWarmRestarts as CosineAnnealingWarmRestarts
from autograd_cnn.optim.schedule_formulas import ExponentialLR as ExponentialLR
from autograd_cnn.optim.schedule_formulas import LambdaLR as LambdaLR
from autograd_cnn.optim.schedule_formulas import LinearLR as LinearLR
from autograd_cnn.optim.schedule_formulas import MultiplicativeLR as MultiplicativeLR
from autograd_cnn.optim.schedule_formulas import MultiStepLR as MultiStepLR
from autograd_cnn.optim.schedule_formulas import PolynomialLR as PolynomialLR
from autograd_cnn.optim.schedule_formulas import StepLR as StepLR
from autograd_cnn.optim.schedule_plateau import ReduceLROnPlateau as ReduceLROnPlateau
