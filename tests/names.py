"""The names that the package shares with PyTorch, by subject: tests/test_coverage.py asks each for its samples."""


def words(text: str) -> list[str]:
    return text.split()


POINTWISE = words("""
    abs acos acosh add addcdiv addcmul asin asinh atan atan2 atanh ceil clamp clamp_min clamp_max cos cosh deg2rad
    div erf erfc exp exp2 expm1 floor floor_divide fmax fmin fmod frac hypot lerp log log10 log1p log2 logaddexp
    logaddexp2 logit maximum minimum mul neg positive pow rad2deg reciprocal remainder round rsqrt rsub sigmoid sign
    sgn sin sinh sqrt square sub tan tanh true_divide trunc where xlogy isfinite isinf isnan isposinf isneginf
    isclose allclose equal eq ne lt le gt ge logical_and logical_or logical_xor logical_not signbit isin
""")
REDUCTIONS = words("""
    sum mean prod max min amax amin aminmax argmax argmin all any std var std_mean var_mean logsumexp nansum nanmean
    norm cumsum cumprod cummax cummin count_nonzero sort argsort topk msort bincount nonzero argwhere masked_select
    diff trace
""")
SHAPES = words("""
    reshape view view_as ravel flatten unflatten squeeze unsqueeze transpose t T mT movedim permute expand expand_as
    broadcast_to broadcast_tensors repeat tile repeat_interleave cat stack hstack vstack dstack column_stack split
    split_with_sizes tensor_split hsplit vsplit dsplit chunk unbind narrow select gather scatter scatter_add
    scatter_reduce index_select index_add index_fill index_copy masked_fill masked_scatter take_along_dim flip
    fliplr flipud roll diag diagonal diag_embed diagflat tril triu tril_indices triu_indices meshgrid unfold
    atleast_1d atleast_2d atleast_3d __getitem__ __setitem__
""")
ALIASES = words("""
    absolute arccos arccosh arcsin arcsinh arctan arctan2 arctanh clip divide fix greater greater_equal less
    less_equal multiply negative not_equal subtract concat concatenate row_stack moveaxis swapaxes swapdims
""")
IN_PLACE = words("""
    relu_ elu_ leaky_relu_ hardtanh_ selu_ celu_ rrelu_ threshold_ index_put fill_diagonal_ normal_ uniform_ random_
    exponential_ geometric_ cauchy_ log_normal_
""")
LINEAR = words("""
    matmul mm bmm mv dot inner outer addmm einsum tensordot kron cross
""")
CREATION = words("""
    tensor as_tensor from_numpy zeros ones full eye arange linspace empty zeros_like ones_like full_like empty_like
    rand_like randn_like randint_like new_zeros new_ones new_full new_empty new_tensor rand randn randint randperm
    bernoulli multinomial normal manual_seed Generator float double int long bool to type clone detach contiguous
    numpy item tolist type_as poisson __array__ __dlpack__ __dlpack_device__ from_dlpack set_printoptions Tensor
    FloatTensor DoubleTensor LongTensor IntTensor ByteTensor BoolTensor
""")
ACTIVATIONS = words("""
    relu relu6 leaky_relu prelu rrelu elu celu selu gelu silu mish softplus softsign softshrink hardshrink
    tanhshrink threshold hardtanh hardsigmoid hardswish glu logsigmoid softmin softmax log_softmax gumbel_softmax
    tanh sigmoid
""")
LOSSES = words("""
    l1_loss mse_loss smooth_l1_loss huber_loss cross_entropy nll_loss binary_cross_entropy
    binary_cross_entropy_with_logits hinge_embedding_loss multi_margin_loss multilabel_margin_loss
    multilabel_soft_margin_loss soft_margin_loss kl_div cosine_embedding_loss triplet_margin_loss
    triplet_margin_with_distance_loss margin_ranking_loss poisson_nll_loss gaussian_nll_loss ctc_loss
""")
LAYERS = words("""
    conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d max_pool1d max_pool2d max_pool3d
    avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d lp_pool3d adaptive_avg_pool1d adaptive_avg_pool2d
    adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d max_unpool1d max_unpool2d
    max_unpool3d fold unfold pad interpolate upsample pixel_shuffle pixel_unshuffle channel_shuffle grid_sample
    affine_grid batch_norm instance_norm layer_norm group_norm rms_norm local_response_norm normalize linear
    bilinear embedding embedding_bag one_hot scaled_dot_product_attention cosine_similarity pairwise_distance
    dropout dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout
""")
MODULES = words("""
    Identity Linear Bilinear Flatten Unflatten Embedding EmbeddingBag Conv1d Conv2d Conv3d ConvTranspose1d
    ConvTranspose2d ConvTranspose3d LazyLinear LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d
    LazyConvTranspose2d LazyConvTranspose3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyInstanceNorm1d
    LazyInstanceNorm2d LazyInstanceNorm3d MaxPool1d MaxPool2d MaxPool3d AvgPool1d AvgPool2d AvgPool3d LPPool1d
    LPPool2d LPPool3d AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d
    AdaptiveMaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d Fold Unfold ConstantPad1d ConstantPad2d ConstantPad3d
    ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d CircularPad1d
    CircularPad2d CircularPad3d ZeroPad1d ZeroPad2d ZeroPad3d Upsample UpsamplingNearest2d UpsamplingBilinear2d
    PixelShuffle PixelUnshuffle ChannelShuffle BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d
    InstanceNorm3d LayerNorm GroupNorm RMSNorm LocalResponseNorm ReLU ReLU6 LeakyReLU PReLU RReLU ELU CELU SELU GELU
    SiLU Mish Softplus Softsign Softshrink Hardshrink Tanhshrink Threshold Hardtanh Hardsigmoid Hardswish GLU
    LogSigmoid Softmin Softmax LogSoftmax Softmax2d Tanh Sigmoid L1Loss MSELoss SmoothL1Loss HuberLoss
    CrossEntropyLoss NLLLoss BCELoss BCEWithLogitsLoss HingeEmbeddingLoss MultiMarginLoss MultiLabelMarginLoss
    MultiLabelSoftMarginLoss SoftMarginLoss KLDivLoss CosineEmbeddingLoss TripletMarginLoss
    TripletMarginWithDistanceLoss MarginRankingLoss PoissonNLLLoss GaussianNLLLoss CTCLoss CosineSimilarity
    PairwiseDistance Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout RNN GRU LSTM RNNCell
    GRUCell LSTMCell MultiheadAttention TransformerEncoderLayer TransformerDecoderLayer TransformerEncoder
    TransformerDecoder Transformer Sequential ModuleList ModuleDict ParameterList ParameterDict
""")
