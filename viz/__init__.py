"""viz: pictures of backpropagation.

>>> import autograd_cnn as ag
>>> import viz
>>> x = ag.tensor([0.5, -1.0], requires_grad=True)
>>> figure = viz.backward_graph((x * x).tanh().sum())
>>> figure.svg().startswith("<svg")
True
"""

from autograd_cnn.graph.grad_mode import timestep as timestep
from viz.capture import trace as trace
from viz.figure import Figure as Figure
from viz.figure import backward_graph as backward_graph
from viz.interchange import to_networkx as to_networkx
from viz.layout_dot import LayoutWarning as LayoutWarning
from viz.model import GraphTrace as GraphTrace
from viz.recorder import Recorder as Recorder
from viz.recorder import record as record
