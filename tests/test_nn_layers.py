"""Layers and losses with PyTorch's weights give PyTorch's numbers and gradients, in every option."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn
from autograd_cnn.errors import ArgumentError, DTypeError, IndexOutOfRangeError, ShapeError

IMAGE = (2, 4, 7, 6)


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def compare(torch, make, *inputs, forward=lambda m, *xs: m(*xs), train=True, calls=1):
    """Runs a layer in float64 beside PyTorch's; compares results, buffers and the gradients of all there is."""
    ours, theirs = make(nn), make(torch.nn)
    ours.double().train(train)
    theirs.double().train(train)
    ours.load_state_dict({name: value.numpy() for name, value in theirs.state_dict().items()})
    floats = [np.asarray(x).dtype.kind == "f" for x in inputs]
    xs = [ag.tensor(x, requires_grad=f) for x, f in zip(inputs, floats, strict=True)]
    ys = [torch.tensor(x, requires_grad=f) for x, f in zip(inputs, floats, strict=True)]
    for _ in range(calls):
        a, b = forward(ours, *xs), forward(theirs, *ys)
    assert a.shape == tuple(b.shape)
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-10, atol=1e-12)
    for name, buffer in theirs.named_buffers():
        np.testing.assert_allclose(ours.get_buffer(name).numpy(), buffer.numpy(), rtol=1e-12)
    if not b.requires_grad:
        assert not a.requires_grad
        return
    g = numbers(*b.shape, seed=1)
    a.backward(ag.tensor(g))
    b.backward(torch.tensor(g))
    pairs = [*zip(xs, ys, strict=True), *zip(ours.parameters(), theirs.parameters(), strict=True)]
    for x, y in pairs:
        if y.grad is None:
            assert x.grad is None
        else:
            np.testing.assert_allclose(x.grad.numpy(), y.grad.numpy(), rtol=1e-9, atol=1e-11)


def padded(modes=("zeros", "reflect", "replicate", "circular")):
    return {
        f"{mode} {padding}": {"padding": padding, "padding_mode": mode}
        for mode in modes
        for padding in ((2, 1), "same", "valid")
    }


CONVOLUTIONS = {
    "plain": {},
    "no bias": {"bias": False},
    "stride": {"stride": (2, 1)},
    "dilation": {"dilation": 2, "padding": 1},
    "groups": {"groups": 2, "stride": 2, "padding": (0, 2)},
    "depthwise": {"groups": 4},
    "same, even kernel": {"padding": "same", "kernel_size": (2, 4), "dilation": (2, 1)},
    "reflect same, even kernel": {"padding": "same", "kernel_size": (2, 4), "padding_mode": "reflect"},
    "pointwise": {"kernel_size": 1},
    **padded(),
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("settings", CONVOLUTIONS.values(), ids=CONVOLUTIONS)
def test_conv2d(torch, settings):
    compare(torch, lambda nn: nn.Conv2d(4, 8, **{"kernel_size": 3, **settings}), numbers(*IMAGE))


def test_conv2d_without_batch(torch):
    compare(torch, lambda nn: nn.Conv2d(4, 2, 3), numbers(*IMAGE[1:]))


POINTWISE = {
    "ReLU": lambda nn: nn.ReLU(),
    "LeakyReLU": lambda nn: nn.LeakyReLU(0.2),
    "ELU": lambda nn: nn.ELU(1.5),
    "GELU": lambda nn: nn.GELU(),
    "GELU tanh": lambda nn: nn.GELU("tanh"),
    "Softplus": lambda nn: nn.Softplus(2.0, 1.5),
    "Softmax": lambda nn: nn.Softmax(1),
    "LogSoftmax": lambda nn: nn.LogSoftmax(-1),
    "Tanh": lambda nn: nn.Tanh(),
    "CELU": lambda nn: nn.CELU(1.5),
    "RReLU": lambda nn: nn.RReLU(0.2, 0.2),
    "Mish": lambda nn: nn.Mish(),
    "Softsign": lambda nn: nn.Softsign(),
    "Softshrink": lambda nn: nn.Softshrink(0.4),
    "Hardshrink": lambda nn: nn.Hardshrink(0.4),
    "Tanhshrink": lambda nn: nn.Tanhshrink(),
    "Threshold": lambda nn: nn.Threshold(0.3, 4.0),
    "Hardswish": lambda nn: nn.Hardswish(),
    "GLU": lambda nn: nn.GLU(1),
    "Softmin": lambda nn: nn.Softmin(1),
    "Softmax2d": lambda nn: nn.Softmax2d(),
    "Sigmoid": lambda nn: nn.Sigmoid(),
    "SELU": lambda nn: nn.SELU(),
    "SiLU": lambda nn: nn.SiLU(),
    "Hardtanh": lambda nn: nn.Hardtanh(-0.5, 0.25),
    "ReLU6": lambda nn: nn.Sequential(nn.Linear(6, 2), nn.ReLU6()),
    "LogSigmoid": lambda nn: nn.LogSigmoid(),
    "PReLU": lambda nn: nn.PReLU(),
    "PReLU by channel": lambda nn: nn.PReLU(4, 0.1),
    "Identity": lambda nn: nn.Identity(),
    "Dropout": lambda nn: nn.Dropout(0.0),
    "Flatten": lambda nn: nn.Flatten(),
    "Flatten part": lambda nn: nn.Flatten(0, 2),
    "Unflatten": lambda nn: nn.Unflatten(1, (2, -1)),
    "LayerNorm": lambda nn: nn.LayerNorm(6),
    "LayerNorm over images": lambda nn: nn.LayerNorm((7, 6), 0.1, bias=False),
    "LayerNorm plain": lambda nn: nn.LayerNorm(6, elementwise_affine=False),
    "Linear": lambda nn: nn.Linear(6, 3),
    "Linear without bias": lambda nn: nn.Linear(6, 3, bias=False),
}


@pytest.mark.parametrize("make", POINTWISE.values(), ids=POINTWISE)
def test_layers(torch, make):
    compare(torch, make, numbers(*IMAGE))


IN_PLACE = {
    "ReLU": lambda nn: nn.ReLU(inplace=True),
    "LeakyReLU": lambda nn: nn.LeakyReLU(0.1, inplace=True),
    "ELU": lambda nn: nn.ELU(0.5, inplace=True),
    "SELU": lambda nn: nn.SELU(inplace=True),
    "CELU": lambda nn: nn.CELU(2.0, inplace=True),
    "SiLU": lambda nn: nn.SiLU(inplace=True),
    "Mish": lambda nn: nn.Mish(inplace=True),
    "Hardswish": lambda nn: nn.Hardswish(inplace=True),
    "Hardtanh": lambda nn: nn.Hardtanh(inplace=True),
    "Threshold": lambda nn: nn.Threshold(0.5, 0.2, inplace=True),
    "RReLU": lambda nn: nn.RReLU(0.2, 0.2, inplace=True),
}


@pytest.mark.parametrize("make", IN_PLACE.values(), ids=IN_PLACE)
def test_in_place(torch, make):
    compare(torch, lambda nn: nn.Sequential(nn.Linear(6, 6), make(nn), nn.Linear(6, 1)), numbers(3, 6))
    x = ag.tensor([-1.0, 2.0])
    assert make(nn)(x) is x


def test_max_pool_indices(torch):
    y, indices = nn.MaxPool2d(2, return_indices=True)(ag.tensor(numbers(*IMAGE)))
    z, expected = torch.nn.MaxPool2d(2, return_indices=True)(torch.tensor(numbers(*IMAGE)))
    assert (y.numpy() == z.numpy()).all()
    assert (indices.numpy() == expected.numpy()).all()


NORMS = {
    "default": {},
    "momentum": {"momentum": 0.3, "eps": 1e-2},
    "cumulative": {"momentum": None},
    "no affine": {"affine": False},
    "no bias": {"bias": False},
    "no statistics": {"track_running_stats": False},
}


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("settings", NORMS.values(), ids=NORMS)
@pytest.mark.parametrize(
    ("kind", "shape"), [("BatchNorm1d", (5, 4)), ("BatchNorm1d", (5, 4, 3)), ("BatchNorm2d", IMAGE)]
)
def test_batch_norm(torch, kind, shape, settings, train):
    compare(torch, lambda nn: getattr(nn, kind)(4, **settings), numbers(*shape), train=train, calls=3 if train else 1)


def test_batch_norm_training_then_evaluation(torch):
    def forward(m, x):
        m.train()
        m(x)
        m(x * 2 + 1)
        return m.eval()(x)

    for momentum in (0.1, None):
        compare(
            torch, lambda nn, momentum=momentum: nn.BatchNorm1d(3, momentum=momentum), numbers(6, 3), forward=forward
        )


def test_batch_norm_tracking_switched_off(torch):
    def forward(m, x):
        m(x)
        m.track_running_stats = False
        return m(x + 1)

    compare(torch, lambda nn: nn.BatchNorm1d(3), numbers(6, 3), forward=forward)


def test_batch_norm_resets():
    m = nn.BatchNorm1d(3)
    m(ag.randn(4, 3))
    assert m.num_batches_tracked.item() == 1
    with ag.no_grad():
        m.weight.mul_(3)
    m.reset_parameters()
    assert m.num_batches_tracked.item() == 0
    assert (m.running_mean == 0).all()
    assert (m.running_var == 1).all()
    assert (m.weight == 1).all()


def test_batch_norm_that_fails_has_seen_no_batch():
    m = nn.BatchNorm1d(3)
    before = {name: b.clone() for name, b in m.named_buffers()}
    for shape, message in (
        ((2, 3, 4, 5), "input must have 2 or 3 dimensions"),
        ((2, 4), "channels"),
        ((1, 3), "2 values"),
    ):
        with pytest.raises((ShapeError, ArgumentError), match=message):
            m(ag.ones(*shape))
    for name, buffer in m.named_buffers():
        assert (buffer == before[name]).all()
    with pytest.raises(ShapeError, match=r"BatchNorm2d: input must have 4 dimensions, got shape \[2, 3\]"):
        nn.BatchNorm2d(3)(ag.ones(2, 3))


@pytest.mark.parametrize("padding_idx", [None, 1, -1])
def test_embedding(torch, padding_idx):
    compare(torch, lambda nn: nn.Embedding(5, 3, padding_idx), np.array([[0, 1, 4], [1, 1, 2]]))
    layer = nn.Embedding(5, 3, padding_idx)
    assert ((layer.weight == 0).all(dim=1).sum() == (padding_idx is not None)).item()


def test_embedding_from_pretrained():
    table = ag.randn(4, 2)
    frozen = nn.Embedding.from_pretrained(table, padding_idx=3)
    assert not frozen.weight.requires_grad
    assert (frozen(ag.tensor([2, 3])) == table[2:]).all()
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad
    assert repr(frozen) == "Embedding(4, 2, padding_idx=3)"
    with pytest.raises(ShapeError, match=r"embeddings must have 2 dimensions, got shape \[4\]"):
        nn.Embedding.from_pretrained(ag.ones(4))


def test_dropout():
    x = ag.ones(100, 100)
    m = nn.Dropout(0.25)
    y = m(x).numpy()
    np.testing.assert_allclose(np.unique(y), [0, 4 / 3], rtol=1e-6)
    assert abs((y == 0).mean() - 0.25) < 0.02
    assert m.eval()(x) is x
    assert nn.Dropout(1.0)(x).abs().sum().item() == 0
    channels = nn.Dropout2d(0.5)(ag.ones(10, 20, 2, 3)).numpy().reshape(200, 6)
    assert (channels == channels[:, :1]).all()
    np.testing.assert_allclose(np.unique(channels), [0, 2])


def test_dtype_and_device_arguments():
    where = {"device": "cpu", "dtype": ag.float64}
    layers = [
        nn.Linear(2, 2, True, "cpu", ag.float64),
        nn.Conv2d(2, 2, 3, **where),
        nn.BatchNorm2d(2, **where),
        nn.Embedding(2, 2, **where),
        nn.PReLU(2, **where),
    ]
    for layer in layers:
        assert {p.dtype for p in layer.parameters()} == {ag.float64}


ERRORS = [
    (lambda: nn.Linear(-1, 2), ArgumentError, "Linear: in_features must be at least 0, got -1"),
    (lambda: nn.Conv2d(3, 4, 3, groups=2), ArgumentError, "Conv2d: in_channels 3 is not divisible by groups 2"),
    (lambda: nn.Conv2d(4, 3, 3, groups=2), ArgumentError, "Conv2d: out_channels 3 is not divisible by groups 2"),
    (lambda: nn.Conv2d(4, 4, 3, groups=0), ArgumentError, "Conv2d: groups must be at least 1, got 0"),
    (lambda: nn.Conv2d(4, 4, (3, 3, 3)), ArgumentError, r"Conv2d: kernel_size must be .* got \(3, 3, 3\)"),
    (lambda: nn.Conv2d(4, 4, 0), ArgumentError, "Conv2d: kernel_size must be at least 1, got 0"),
    (lambda: nn.Conv2d(4, 4, 3, stride=0), ArgumentError, "Conv2d: stride must be at least 1, got 0"),
    (lambda: nn.Conv2d(4, 4, 3, padding=-1), ArgumentError, "Conv2d: padding must be at least 0, got -1"),
    (lambda: nn.Conv2d(4, 4, 2.5), DTypeError, "Conv2d: kernel_size must be an integer or a pair, got 2.5"),
    (lambda: nn.Conv2d(4, 4, 3, padding="full"), ArgumentError, "'same' or 'valid', got 'full'"),
    (lambda: nn.Conv2d(4, 4, 3, 2, "same"), ArgumentError, r"padding='same' needs stride 1, got \(2, 2\)"),
    (
        lambda: nn.Conv2d(4, 4, 3, padding_mode="mirror"),
        ArgumentError,
        "padding_mode must be one of zeros, .* got 'mirror'",
    ),
    (lambda: nn.Dropout(1.5), ArgumentError, r"Dropout: p must lie in \[0, 1\], got 1.5"),
    (lambda: nn.Embedding(3, 2, 3), ArgumentError, "Embedding: padding_idx 3 is out of range for 3 embeddings"),
    (lambda: nn.RReLU(0.5, 0.2), ArgumentError, "RReLU: lower must be at most upper, got 0.5 and 0.2"),
    (lambda: nn.Softmax2d()(ag.ones(2, 3)), ShapeError, r"Softmax2d: input must have 3 or 4 .* \[2, 3\]"),
    (lambda: nn.Hardtanh(1, 1), ArgumentError, "Hardtanh: min_val must be less than max_val, got 1 and 1"),
    (lambda: nn.Dropout2d(-1), ArgumentError, r"Dropout2d: p must lie in \[0, 1\], got -1"),
    (lambda: nn.Linear(2.5, 2), DTypeError, "Linear: in_features must be an integer, got 2.5"),
    (lambda: nn.Conv2d(4, -4, 3), ArgumentError, "Conv2d: out_channels must be at least 0, got -4"),
    (lambda: nn.BatchNorm2d("3"), DTypeError, "BatchNorm2d: num_features must be an integer, got '3'"),
    (lambda: nn.Embedding(3, -2), ArgumentError, "Embedding: embedding_dim must be at least 0, got -2"),
    (lambda: nn.Embedding(3, 2, -4), ArgumentError, "Embedding: padding_idx must be at least -3, got -4"),
    (lambda: nn.Embedding(3, 2, 1.5), DTypeError, "Embedding: padding_idx must be an integer, got 1.5"),
    (lambda: nn.Dropout("a"), ArgumentError, r"Dropout: p must lie in \[0, 1\], got 'a'"),
    (lambda: nn.PReLU(0), ArgumentError, "PReLU: num_parameters must be at least 1, got 0"),
    (lambda: nn.MSELoss(reduction="max"), ArgumentError, "MSELoss: reduction must be .* got 'max'"),
    (
        lambda: nn.CrossEntropyLoss(weight=3),
        DTypeError,
        "CrossEntropyLoss: buffer 'weight' must be a Tensor or None, got int",
    ),
    (lambda: nn.Embedding(3, 2)(ag.tensor([3])), IndexOutOfRangeError, r"id 3 is out of range \[0, 3\)"),
    (lambda: nn.Linear(3, 2)(ag.ones(1, 4)), ShapeError, "linear"),
    (lambda: nn.Conv2d(3, 2, 3)(ag.ones(1, 4, 5, 5)), ShapeError, "conv2d"),
]


@pytest.mark.parametrize(("make", "error", "message"), ERRORS, ids=range(len(ERRORS)))
def test_errors(make, error, message):
    with pytest.raises(error, match=message):
        make()


# Losses

CLASSES = 5
LOGITS = numbers(6, CLASSES)
LABELS = np.array([0, 4, 2, 2, 1, 3])
PICTURES = numbers(2, CLASSES, 3, 2)
PIXELS = np.random.default_rng(2).integers(0, CLASSES, (2, 3, 2))
PROBABILITIES = np.random.default_rng(3).dirichlet(np.ones(CLASSES), 6)
UNIT = np.random.default_rng(4).uniform(0.05, 0.95, (4, 3))
CLASS_WEIGHT = np.random.default_rng(5).uniform(0.5, 2, CLASSES)

LOSSES = {
    "CrossEntropyLoss": ("CrossEntropyLoss", {}, (LOGITS, LABELS)),
    "CrossEntropyLoss weight": ("CrossEntropyLoss", {"weight": CLASS_WEIGHT}, (LOGITS, LABELS)),
    "CrossEntropyLoss ignore": ("CrossEntropyLoss", {"ignore_index": 2, "weight": CLASS_WEIGHT}, (LOGITS, LABELS)),
    "CrossEntropyLoss smoothed": ("CrossEntropyLoss", {"label_smoothing": 0.2}, (LOGITS, LABELS)),
    "CrossEntropyLoss all": (
        "CrossEntropyLoss",
        {"label_smoothing": 0.2, "ignore_index": 2, "weight": CLASS_WEIGHT},
        (LOGITS, LABELS),
    ),
    "CrossEntropyLoss pictures": (
        "CrossEntropyLoss",
        {"weight": CLASS_WEIGHT, "label_smoothing": 0.1},
        (PICTURES, PIXELS),
    ),
    "CrossEntropyLoss probabilities": (
        "CrossEntropyLoss",
        {"weight": CLASS_WEIGHT, "label_smoothing": 0.1},
        (LOGITS, PROBABILITIES),
    ),
    "CrossEntropyLoss without batch": ("CrossEntropyLoss", {}, (LOGITS[0], LABELS[0])),
    "NLLLoss": ("NLLLoss", {}, (LOGITS, LABELS)),
    "NLLLoss all": ("NLLLoss", {"weight": CLASS_WEIGHT, "ignore_index": 4}, (LOGITS, LABELS)),
    "NLLLoss pictures": ("NLLLoss", {}, (PICTURES, PIXELS)),
    "MSELoss": ("MSELoss", {}, (LOGITS, PROBABILITIES)),
    "L1Loss": ("L1Loss", {}, (LOGITS, PROBABILITIES)),
    "SmoothL1Loss": ("SmoothL1Loss", {}, (LOGITS, PROBABILITIES)),
    "SmoothL1Loss beta": ("SmoothL1Loss", {"beta": 0.3}, (LOGITS, PROBABILITIES)),
    "SmoothL1Loss beta 0": ("SmoothL1Loss", {"beta": 0.0}, (LOGITS, PROBABILITIES)),
    "BCELoss": ("BCELoss", {}, (UNIT, UNIT[::-1].copy())),
    "BCELoss weight": ("BCELoss", {"weight": UNIT[0]}, (UNIT, UNIT[::-1].copy())),
    "BCEWithLogitsLoss": ("BCEWithLogitsLoss", {}, (LOGITS, PROBABILITIES)),
    "BCEWithLogitsLoss all": (
        "BCEWithLogitsLoss",
        {"weight": CLASS_WEIGHT, "pos_weight": CLASS_WEIGHT[::-1].copy()},
        (LOGITS, PROBABILITIES),
    ),
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("name", "settings", "inputs"), LOSSES.values(), ids=LOSSES)
def test_losses(torch, name, settings, inputs, reduction):
    def make(lib):
        tensor = ag.tensor if lib is nn else torch.tensor
        given = {key: tensor(v) if isinstance(v, np.ndarray) else v for key, v in settings.items()}
        return getattr(lib, name)(**given, reduction=reduction)

    compare(torch, make, *inputs)


def test_loss_weights_are_buffers():
    loss = nn.BCEWithLogitsLoss(weight=ag.ones(2), pos_weight=ag.ones(2))
    assert list(loss.state_dict()) == ["weight", "pos_weight"]
    assert loss.double().weight.dtype == ag.float64
