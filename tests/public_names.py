"""The names of PyTorch's that this package promises, by where they are."""

from __future__ import annotations


def words(text: str) -> list[str]:
    return text.split()


FUNCTIONS = words("""
    abs acos acosh add addcdiv addcmul asin asinh atan atan2 atanh ceil clamp clamp_min clamp_max cos cosh
    deg2rad div erf erfc exp exp2 expm1 floor floor_divide fmax fmin fmod frac hypot lerp log log10 log1p log2
    logaddexp logaddexp2 logit maximum minimum mul neg positive pow rad2deg reciprocal remainder round rsqrt
    rsub sigmoid sign sgn sin sinh sqrt square sub tan tanh true_divide trunc where xlogy isfinite isinf isnan
    isposinf isneginf isclose allclose equal eq ne lt le gt ge logical_and logical_or logical_xor logical_not
    signbit isin sum mean prod max min amax amin aminmax argmax argmin all any std var std_mean var_mean
    logsumexp nansum nanmean norm cumsum cumprod cummax cummin count_nonzero sort argsort topk msort bincount
    nonzero argwhere masked_select diff trace reshape ravel flatten unflatten squeeze unsqueeze transpose t
    movedim permute broadcast_to broadcast_tensors tile repeat_interleave cat stack hstack vstack dstack
    column_stack split split_with_sizes tensor_split hsplit vsplit dsplit chunk unbind narrow select gather
    scatter scatter_add scatter_reduce index_select index_add index_fill index_copy masked_fill masked_scatter
    take_along_dim flip fliplr flipud roll diag diagonal diag_embed diagflat tril triu tril_indices triu_indices
    meshgrid atleast_1d atleast_2d atleast_3d matmul mm bmm mv dot inner outer addmm einsum tensordot kron cross
    tensor as_tensor from_numpy zeros ones full eye arange linspace empty zeros_like ones_like full_like
    empty_like rand randn randint randperm rand_like randn_like randint_like bernoulli multinomial normal
    manual_seed seed initial_seed get_rng_state set_rng_state from_dlpack is_tensor detach clone
    get_default_dtype set_default_dtype set_printoptions is_grad_enabled is_floating_point numel result_type
    promote_types can_cast sparse_coo_tensor save load set_num_threads get_num_threads
    use_deterministic_algorithms compile poisson absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh clip
    divide fix greater greater_equal less less_equal multiply negative not_equal subtract concat concatenate row_stack
    moveaxis swapaxes swapdims Tensor FloatTensor DoubleTensor LongTensor IntTensor ByteTensor BoolTensor Generator
""")

METHODS = words("""
    view view_as reshape ravel flatten unflatten squeeze unsqueeze transpose t movedim permute expand expand_as
    repeat tile repeat_interleave split chunk unbind narrow select unfold gather scatter scatter_ scatter_add
    scatter_add_ index_select index_add_ index_fill_ index_copy_ masked_fill masked_fill_ masked_select
    new_zeros new_ones new_full new_empty new_tensor float double int long bool to type clone detach detach_
    contiguous is_contiguous numpy item tolist cpu requires_grad_ retain_grad register_hook backward size dim
    numel element_size data_ptr stride zero_ fill_ copy_ uniform_ normal_ bernoulli_ add_ sub_
    mul_ div_ clamp_ sum mean max min argmax argmin std var norm matmul mm dot abs exp log sqrt pow sigmoid tanh
    relu softmax log_softmax where type_as is_floating_point to_sparse to_dense T mT __array__ __dlpack__
    __dlpack_device__ __getitem__ __setitem__ index_put_ fill_diagonal_ random_ exponential_ geometric_ cauchy_
    log_normal_
""")

FUNCTIONAL = words("""
    conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d max_pool1d max_pool2d max_pool3d
    avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d lp_pool3d adaptive_avg_pool1d adaptive_avg_pool2d
    adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d max_unpool1d max_unpool2d
    max_unpool3d fold unfold pad interpolate upsample pixel_shuffle pixel_unshuffle channel_shuffle grid_sample
    affine_grid batch_norm instance_norm layer_norm group_norm rms_norm local_response_norm normalize relu relu6
    leaky_relu prelu rrelu elu celu selu gelu silu mish softplus softsign softshrink hardshrink tanhshrink
    threshold hardtanh hardsigmoid hardswish glu logsigmoid softmin softmax log_softmax gumbel_softmax tanh
    sigmoid relu_ elu_ leaky_relu_ hardtanh_ selu_ celu_ rrelu_ threshold_
    linear bilinear embedding embedding_bag one_hot scaled_dot_product_attention l1_loss mse_loss
    smooth_l1_loss huber_loss cross_entropy nll_loss binary_cross_entropy binary_cross_entropy_with_logits
    hinge_embedding_loss multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss soft_margin_loss
    kl_div cosine_embedding_loss triplet_margin_loss triplet_margin_with_distance_loss margin_ranking_loss
    poisson_nll_loss gaussian_nll_loss ctc_loss cosine_similarity pairwise_distance pdist dropout dropout1d
    dropout2d dropout3d alpha_dropout feature_alpha_dropout
""")

MODULES = words("""
    Module Sequential ModuleList ModuleDict ParameterList ParameterDict Parameter Identity Flatten Unflatten
    Linear Bilinear LazyLinear Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d LazyConv1d
    LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d LazyConvTranspose3d MaxPool1d MaxPool2d
    MaxPool3d AvgPool1d AvgPool2d AvgPool3d LPPool1d LPPool2d LPPool3d AdaptiveAvgPool1d AdaptiveAvgPool2d
    AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d
    Fold Unfold ZeroPad1d ZeroPad2d ZeroPad3d ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d
    ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d CircularPad1d
    CircularPad2d CircularPad3d Upsample UpsamplingNearest2d UpsamplingBilinear2d PixelShuffle PixelUnshuffle
    ChannelShuffle BatchNorm1d BatchNorm2d BatchNorm3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d
    InstanceNorm1d InstanceNorm2d InstanceNorm3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d
    LayerNorm GroupNorm RMSNorm LocalResponseNorm ReLU ReLU6 LeakyReLU PReLU RReLU ELU CELU SELU GELU SiLU Mish
    Softplus Softsign Softshrink Hardshrink Tanhshrink Threshold Hardtanh Hardsigmoid Hardswish GLU LogSigmoid
    Softmin Softmax Softmax2d LogSoftmax Tanh Sigmoid Embedding EmbeddingBag RNN GRU LSTM RNNCell GRUCell
    LSTMCell MultiheadAttention TransformerEncoderLayer TransformerDecoderLayer TransformerEncoder
    TransformerDecoder Transformer L1Loss MSELoss SmoothL1Loss HuberLoss CrossEntropyLoss NLLLoss BCELoss
    BCEWithLogitsLoss HingeEmbeddingLoss MultiMarginLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss
    SoftMarginLoss KLDivLoss CosineEmbeddingLoss TripletMarginLoss TripletMarginWithDistanceLoss
    MarginRankingLoss PoissonNLLLoss GaussianNLLLoss CTCLoss CosineSimilarity PairwiseDistance Dropout Dropout1d
    Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout
""")

NN_UTILS = words("""
    clip_grad_norm_ clip_grad_value_ parameters_to_vector vector_to_parameters weight_norm spectral_norm
    rnn.pack_padded_sequence rnn.pad_packed_sequence rnn.pad_sequence rnn.pack_sequence
""")

OPTIM = words("""
    SGD Adam AdamW NAdam RAdam Adamax Adagrad Adadelta RMSprop Rprop ASGD LBFGS lr_scheduler.LambdaLR
    lr_scheduler.MultiplicativeLR lr_scheduler.StepLR lr_scheduler.MultiStepLR lr_scheduler.ConstantLR
    lr_scheduler.LinearLR lr_scheduler.ExponentialLR lr_scheduler.PolynomialLR lr_scheduler.CosineAnnealingLR
    lr_scheduler.CosineAnnealingWarmRestarts lr_scheduler.OneCycleLR lr_scheduler.CyclicLR
    lr_scheduler.ReduceLROnPlateau lr_scheduler.SequentialLR lr_scheduler.ChainedScheduler
""")

AUTOGRAD = words("""
    grad backward Function Variable gradcheck gradgradcheck functional.jacobian functional.hessian
    functional.vjp functional.jvp functional.hvp functional.vhp
""")

DATA = words("""
    DataLoader Dataset IterableDataset TensorDataset Subset ConcatDataset ChainDataset StackDataset random_split
    Sampler SequentialSampler RandomSampler SubsetRandomSampler WeightedRandomSampler BatchSampler
    default_collate default_convert get_worker_info
""")

DISTRIBUTIONS = words("Distribution Normal Bernoulli Categorical Uniform kl_divergence register_kl")

# Ours, PyTorch's, and the names: dotted below `autograd_cnn` and `torch`.
GROUPS = {
    "Functions": ("", "", FUNCTIONS),
    "Tensor methods": ("Tensor", "Tensor", METHODS),
    "nn.functional": ("nn.functional", "nn.functional", FUNCTIONAL),
    "nn": ("nn", "nn", MODULES),
    "nn.utils": ("nn.utils", "nn.utils", NN_UTILS),
    "optim": ("optim", "optim", OPTIM),
    "autograd": ("autograd", "autograd", AUTOGRAD),
    "data": ("data", "utils.data", DATA),
    "distributions": ("distributions", "distributions", DISTRIBUTIONS),
}
