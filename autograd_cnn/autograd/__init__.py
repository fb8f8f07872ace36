"""The engine's public face, by PyTorch's names: `autograd.grad`, `autograd.Function`, `autograd.gradcheck`, ..."""

from autograd_cnn.autograd import functional as functional
from autograd_cnn.autograd.variable import Variable as Variable
from autograd_cnn.gradcheck import gradcheck as gradcheck
from autograd_cnn.gradcheck import gradgradcheck as gradgradcheck
from autograd_cnn.graph.anomaly import detect_anomaly as detect_anomaly
from autograd_cnn.graph.anomaly import set_detect_anomaly as set_detect_anomaly
from autograd_cnn.graph.engine import add_backward_observer as add_backward_observer
from autograd_cnn.graph.engine import backward as backward
from autograd_cnn.graph.engine import grad as grad
from autograd_cnn.graph.function import Function as Function
from autograd_cnn.graph.function import once_differentiable as once_differentiable
from autograd_cnn.graph.grad_mode import enable_grad as enable_grad
from autograd_cnn.graph.grad_mode import inference_mode as inference_mode
from autograd_cnn.graph.grad_mode import no_grad as no_grad
from autograd_cnn.graph.grad_mode import set_grad_enabled as set_grad_enabled
from autograd_cnn.graph.op import FusedOp as FusedOp
from autograd_cnn.graph.op import Op as Op
from autograd_cnn.graph.op import ViewOp as ViewOp
from autograd_cnn.graph.record import apply as apply
