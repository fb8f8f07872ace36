"""Probability distributions whose parameters, samples and densities are tensors with gradients."""

from autograd_cnn.distributions import constraints as constraints
from autograd_cnn.distributions.bernoulli import Bernoulli as Bernoulli
from autograd_cnn.distributions.categorical import Categorical as Categorical
from autograd_cnn.distributions.distribution import Distribution as Distribution
from autograd_cnn.distributions.kl import kl_divergence as kl_divergence
from autograd_cnn.distributions.kl import register_kl as register_kl
from autograd_cnn.distributions.normal import Normal as Normal
from autograd_cnn.distributions.uniform import Uniform as Uniform
