"""Samples: random numbers.  What is drawn is tests/test_random_numbers.py's; here is that no gradient passes."""

import numpy as np

from autograd_cnn.ops import random
from samples.sample import Sample, real

SAMPLES = (
    Sample(
        "normal_ without a deviation",
        lambda x: random.normal_(x * x, 3, 0) * x,
        (real(2, 3),),
        lambda x: 3 * x,
        lambda torch, x: (x * x).normal_(3, 0) * x,
    ),
    Sample(
        "bernoulli of certainties",
        lambda x: random.bernoulli(x * 0 + 1) * x,
        (real(2, 3),),
        np.array,
        lambda torch, x: torch.bernoulli(x * 0 + 1) * x,
    ),
)
ERRORS = ()
