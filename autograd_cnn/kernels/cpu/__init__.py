"""CPU kernels: arrays in, arrays out.  Every public kernel is a name of this module."""

from . import heap
from .activation import (
    elu,
    elu_grad,
    gelu,
    gelu_grad,
    gelu_tanh,
    gelu_tanh_grad,
    leaky_relu,
    leaky_relu_grad,
    relu,
    relu_grad,
    sigmoid,
    sigmoid_grad,
    softplus,
    softplus_grad,
    tanh,
    tanh_grad,
)
from .addressed import ArrayTable
from .arithmetic import (
    addcdiv,
    addcmul,
    floor_divide,
    fmax,
    fmin,
    fmod,
    frac,
    hypot,
    isclose,
    lerp,
    limit,
    remainder,
    signbit,
    trunc_divide,
)
from .avg_pool import adaptive_avg_pool2d, adaptive_avg_pool2d_grad, avg_pool2d, avg_pool2d_grad
from .columns import fold_windows, unfold_windows
from .contraction import IDENTITY, RELU, linear_forward, matmul
from .conv import conv_forward, conv_grad_input
from .conv_weight import conv_grad_weight, sum_channels
from .copying import copy, fill
from .count import bincount, isin, nonzero
from .cross import cross
from .cross_entropy import cross_entropy, cross_entropy_grad
from .ctc import ctc_loss, ctc_loss_grad
from .distances import distances, distances_grad
from .elementwise import (
    abs,
    add,
    add_,
    ceil,
    clamp,
    clamp_grad,
    cos,
    cube,
    div,
    eq,
    erf,
    exp,
    expm1,
    floor,
    ge,
    gt,
    isfinite,
    isinf,
    isnan,
    le,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    maximum,
    minimum,
    mul,
    ne,
    neg,
    pow,
    reciprocal,
    round,
    rsqrt,
    sign,
    sin,
    sqrt,
    square,
    sub,
    tan,
    trunc,
    where,
)
from .embedding_bag import embedding_bag
from .exponential import erfc, exp2, log2, log10, logaddexp, logaddexp2, logit, logit_grad, xlogy
from .gradients import add_scaled, clamp_all, dot_of, scale_all, sum_of_squares
from .grid_sample import grid_sample, grid_slopes, grid_splat
from .group_norm import group_norm, group_norm_grad
from .gru import gru, gru_backward
from .index import (
    check_range,
    embedding,
    embedding_grad,
    gather,
    index_add,
    index_copy,
    index_select,
    put_add,
    scatter_add,
    take,
)
from .jit import GRAIN
from .layer_norm import layer_norm, layer_norm_grad
from .linear import linear_backward
from .loss import (
    absolute_error,
    absolute_error_slope,
    binary_cross_entropy,
    binary_cross_entropy_slope,
    huber,
    huber_slope,
    logistic_loss,
    logistic_loss_slope,
    squared_distance,
)
from .lstm import lstm, lstm_backward
from .nll import labelled, put_labelled
from .norm import batch_norm_eval, batch_norm_grad, batch_norm_train, running_averages
from .normal import normal_blocks, standard_normal
from .optim import adadelta, adagrad, adam, adamax, asgd, ftrl, nadam, radam, rmsprop, rprop, sgd
from .padding import pad_lines, unpad_lines
from .piecewise import (
    hardshrink,
    hardsigmoid,
    hardsigmoid_grad,
    hardswish,
    hardswish_grad,
    shrink_grad,
    softshrink,
    threshold,
    threshold_grad,
)
from .pool import max_pool2d, max_pool2d_grad, max_pool2d_indices, max_pool2d_take
from .random import blocks_for, dropout, dropout_apply
from .reduce import all, amax, amin, any, argmax, argmin, cumprod, cumsum, nansum, prod, sum, sum_squares, var
from .resample import resample
from .rnn import rnn, rnn_backward
from .row_pairs import row_combination, row_products
from .scan import cummax, cummin, linear_recurrence
from .scatter import scatter_max, scatter_min, scatter_mul, scatter_put
from .smooth import (
    celu,
    celu_grad,
    glu,
    glu_grad,
    mish,
    mish_grad,
    selu,
    selu_grad,
    silu,
    silu_grad,
    softsign,
    softsign_grad,
)
from .softmax import log_softmax, log_softmax_grad, logsumexp, softmax, softmax_grad
from .sort import sort, topk
from .span_max import largest_of_spans, place_in_planes, read_in_planes
from .triangle import triangle
from .trigonometric import acos, acosh, asin, asinh, atan, atan2, atanh, cosh, sinh

heap.keep_freed()
