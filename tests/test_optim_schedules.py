"""Learning-rate schedules against PyTorch's, their state, and their errors."""

from __future__ import annotations

import itertools
import warnings

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn.errors import ArgumentError, DTypeError, StateDictError
from autograd_cnn.optim import SGD, lr_scheduler


def one():
    return ag.ones(1, requires_grad=True)


class Slower:
    """A factor that is an object, which a state dict can hold."""

    def __init__(self, by):
        self.by = by

    def __call__(self, epoch):
        return 1 / (1 + self.by * epoch)


def product(**choices):
    return [dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values())]


FORMULAS = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("StepLR", {"step_size": 1}),
    ("StepLR", {"step_size": 2.0}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 30], "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [0, 4]}),
    *[("ConstantLR", settings) for settings in product(factor=[1.0, 0.25], total_iters=[1, 7])],
    ("ConstantLR", {}),
    *[
        ("LinearLR", settings)
        for settings in product(start_factor=[1.0, 0.25], end_factor=[0.0, 0.5, 1.0], total_iters=[1, 7])
    ],
    ("LinearLR", {}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("ExponentialLR", {"gamma": 1.1}),
    *[("PolynomialLR", settings) for settings in product(total_iters=[1, 9], power=[1.0, 2.0, 0.5])],
    ("CosineAnnealingLR", {"T_max": 10}),
    ("CosineAnnealingLR", {"T_max": 1}),
    ("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    *[
        ("CosineAnnealingWarmRestarts", settings)
        for settings in product(T_0=[1, 4], T_mult=[1, 2, 3], eta_min=[0.0, 0.01])
    ],
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.95**epoch}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 0.95**epoch, Slower(0.2)]}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.95}),
    ("MultiplicativeLR", {"lr_lambda": [Slower(0.1), lambda epoch: 1.01]}),
]
CYCLES = [
    *[
        ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.1, "step_size_up": 4, **settings})
        for settings in product(
            mode=["triangular", "triangular2", "exp_range"],
            step_size_down=[None, 7],
            gamma=[1.0, 0.9],
            cycle_momentum=[False, True],
        )
    ],
    ("CyclicLR", {"base_lr": [0.01, 0.1], "max_lr": [0.1, 0.3], "step_size_up": 3, "scale_fn": lambda x: 0.5**x}),
    (
        "CyclicLR",
        {
            "base_lr": 0.01,
            "max_lr": 0.1,
            "step_size_up": 3,
            "scale_fn": Slower(0.3),
            "scale_mode": "iterations",
            "base_momentum": [0.5, 0.6],
            "max_momentum": [0.7, 0.8],
        },
    ),
    *[
        ("OneCycleLR", {"max_lr": 0.5, "total_steps": 60, **settings})
        for settings in product(
            pct_start=[0.3, 0.45],
            anneal_strategy=["cos", "linear"],
            cycle_momentum=[False, True],
            three_phase=[False, True],
        )
    ],
    (
        "OneCycleLR",
        {
            "max_lr": [0.5, 0.2],
            "epochs": 5,
            "steps_per_epoch": 13,
            "base_momentum": [0.5, 0.6],
            "max_momentum": [0.7, 0.8],
            "div_factor": 10.0,
            "final_div_factor": 100.0,
        },
    ),
]
SCHEDULES = [*FORMULAS, *CYCLES]


def scheduled(torch, kind="SGD", lr=0.1):
    """Optimizers of two groups, ours and PyTorch's, that have taken a step, as a schedule expects."""
    settings = {"momentum": 0.9} if kind == "SGD" else {}
    ours = getattr(ag.optim, kind)([{"params": [one()], "lr": 0.5}, {"params": [one()]}], lr=lr, **settings)
    p, q = (torch.ones(1, requires_grad=True) for _ in range(2))
    theirs = getattr(torch.optim, kind)([{"params": [p], "lr": 0.5}, {"params": [q]}], lr=lr, **settings)
    for optimizer in (ours, theirs):
        optimizer.step()
    return ours, theirs


def rates(optimizer):
    return [group["lr"] for group in optimizer.param_groups]


def compare(ours, theirs):
    """Everything that a schedule may set."""
    for a, b in zip(ours.param_groups, theirs.param_groups, strict=True):
        for name in ("lr", "initial_lr", "momentum", "betas", "max_lr", "min_lr", "max_momentum", "base_momentum"):
            assert (name in a) == (name in b), name
            if name in a:
                np.testing.assert_allclose(a[name], b[name], rtol=1e-12, atol=1e-15, err_msg=name)


def in_step(torch, ours, theirs, make, epochs=50):
    """Runs schedules beside PyTorch's and compares the rates of every epoch."""
    mine = make(lr_scheduler, ours)
    with warnings.catch_warnings():  # PyTorch's warn where no step of the optimizer came after they were made
        warnings.simplefilter("ignore")
        other = make(torch.optim.lr_scheduler, theirs)
    compare(ours, theirs)
    theirs.step()
    for _ in range(epochs):
        for a, b in zip(mine, other, strict=True):
            a.step()
            b.step()
            np.testing.assert_allclose(a.get_last_lr(), b.get_last_lr(), rtol=1e-12, atol=1e-15)
        compare(ours, theirs)
    return mine, other


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize(("name", "settings"), SCHEDULES)
def test_schedule_as_torch(torch, name, settings, kind):
    ours, theirs = scheduled(torch, kind)
    in_step(torch, ours, theirs, lambda module, optimizer: [getattr(module, name)(optimizer, **settings)])


def sequential(module, optimizer):
    return module.SequentialLR(
        optimizer,
        [
            module.LinearLR(optimizer, 0.1, total_iters=4),
            module.CosineAnnealingLR(optimizer, 20, 1e-3),
            module.CosineAnnealingWarmRestarts(optimizer, 3),
            module.MultiplicativeLR(optimizer, lambda epoch: 0.9),
            module.ExponentialLR(optimizer, 0.9),
        ],
        milestones=[5, 21, 30, 41],
    )


def chained(module, optimizer):
    return module.ChainedScheduler(
        [module.ConstantLR(optimizer, 0.1, 4), module.ExponentialLR(optimizer, 0.95), module.StepLR(optimizer, 7)]
    )


def nested(module, optimizer):
    return module.SequentialLR(
        optimizer,
        [chained(module, optimizer), module.PolynomialLR(optimizer, 9)],
        milestones=[8],
    )


def one_cycle_at_last(module, optimizer):
    return module.SequentialLR(
        optimizer,
        [module.ConstantLR(optimizer, 0.5), module.OneCycleLR(optimizer, 0.3, 60)],
        milestones=[6],
    )


COMPOSITIONS = [sequential, chained, one_cycle_at_last]


@pytest.mark.parametrize("make", [*COMPOSITIONS, nested])
def test_schedules_of_schedules_as_torch(torch, make):
    ours, theirs = scheduled(torch)
    in_step(torch, ours, theirs, lambda module, optimizer: [make(module, optimizer)])


def test_compositions_after_another_schedule():
    """PyTorch raises at the milestone."""
    for make, expected in (
        (lambda m, o: m.ChainedScheduler([m.ExponentialLR(o, 0.5), m.StepLR(o, 2, 0.1)]), [1, 0.5, 0.025]),
        (lambda m, o: m.SequentialLR(o, [m.ExponentialLR(o, 0.5), m.ConstantLR(o, 0.1)], [2]), [1, 0.5, 0.1]),
    ):
        ours = SGD([one()], lr=1.0)
        ours.step()
        schedules = [lr_scheduler.ConstantLR(ours, 1.0), make(lr_scheduler, ours)]
        schedule = lr_scheduler.SequentialLR(ours, schedules, milestones=[3])
        found = []
        for _ in range(6):
            found += schedule.get_last_lr()
            schedule.step()
        np.testing.assert_allclose(found, [1, 1, 1, *expected])


@pytest.mark.parametrize(
    "settings",
    product(
        mode=["min", "max"],
        threshold_mode=["rel", "abs"],
        patience=[0, 2],
        cooldown=[0, 3],
        min_lr=[0, [0.05, 0.002]],
        threshold=[1e-4, 0.1],
    ),
)
def test_plateau_as_torch(torch, settings):
    ours, theirs = scheduled(torch)
    mine = lr_scheduler.ReduceLROnPlateau(ours, factor=0.7, eps=1e-4, **settings)
    other = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, factor=0.7, eps=1e-4, **settings)
    rng = np.random.default_rng(0)
    for epoch in range(50):
        figure = np.sin(epoch / 5) + 0.3 * rng.standard_normal() if epoch != 20 else np.nan
        mine.step(ag.tensor(figure))
        other.step(torch.tensor(figure))
        compare(ours, theirs)
        assert mine.get_last_lr() == other.get_last_lr()
        if epoch == 25:
            again = lr_scheduler.ReduceLROnPlateau(ours)
            again.load_state_dict(other.state_dict())
            mine = lr_scheduler.ReduceLROnPlateau(ours)
            mine.load_state_dict(again.state_dict())


@pytest.mark.parametrize(("name", "settings"), [case for case in FORMULAS if "Lambda" not in case[0]])
def test_a_step_to_an_epoch_as_torch(torch, name, settings):
    ours, theirs = scheduled(torch)
    mine = getattr(lr_scheduler, name)(ours, **settings)
    other = getattr(torch.optim.lr_scheduler, name)(theirs, **settings)
    for epoch in (3, 1, 12, 0):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mine.step(epoch)
            other.step(epoch)
        compare(ours, theirs)
    if name == "CosineAnnealingWarmRestarts":
        for epoch in (0.5, 7.25, 13.5):
            mine.step(epoch)
            other.step(epoch)
            compare(ours, theirs)
        return
    with pytest.warns(UserWarning, match=r"\.step\(epoch\) is out of use"):
        mine.step(2)


def test_a_rate_that_is_a_tensor_is_set_in_its_place(torch):
    rate, theirs = ag.tensor(0.1, dtype=ag.float64), torch.tensor(0.1, dtype=torch.float64)
    ours = SGD([one()], lr=rate)
    expected = torch.optim.SGD([torch.ones(1, requires_grad=True)], lr=theirs)
    for optimizer in (ours, expected):
        optimizer.step()
    in_step(torch, ours, expected, lambda module, optimizer: [module.ExponentialLR(optimizer, 0.9)], 5)
    assert ours.param_groups[0]["lr"] is rate
    assert rate.item() == pytest.approx(0.1 * 0.9**5)
    schedule = lr_scheduler.ReduceLROnPlateau(ours, patience=0)
    schedule.step(1.0)
    schedule.step(2.0)
    assert rate.item() == pytest.approx(0.01 * 0.9**5)


def test_a_step_before_the_optimizer_s_warns():
    optimizer = SGD([one()], lr=0.1)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.9)
    with pytest.warns(UserWarning, match=r"ExponentialLR\.step\(\) before the optimizer's first step\(\)"):
        schedule.step()


def test_chained_schedules_as_torch(torch):
    ours, theirs = scheduled(torch)
    in_step(
        torch,
        ours,
        theirs,
        lambda module, optimizer: [
            module.ExponentialLR(optimizer, 0.97),
            module.StepLR(optimizer, 4, 0.7),
            module.CosineAnnealingLR(optimizer, 12, 1e-3),
        ],
    )


@pytest.mark.parametrize(("name", "settings"), [*FORMULAS, *CYCLES[:3]])
@pytest.mark.parametrize("last_epoch", [2, 5, 6])
def test_schedule_resumed_by_last_epoch_as_torch(torch, name, settings, last_epoch):
    ours, theirs = scheduled(torch)
    for optimizer in (ours, theirs):
        for group in optimizer.param_groups:
            group["initial_lr"] = 2 * group["lr"]
    make = lambda module, optimizer: [getattr(module, name)(optimizer, **settings, last_epoch=last_epoch)]  # noqa: E731
    in_step(torch, ours, theirs, make)


def by_name(name, settings):
    return lambda module, optimizer: getattr(module, name)(optimizer, **settings)


@pytest.mark.parametrize("make", [*itertools.starmap(by_name, SCHEDULES), *COMPOSITIONS])
def test_schedule_state(torch, make):
    ours, theirs = scheduled(torch)
    (mine,), (other,) = in_step(torch, ours, theirs, lambda module, optimizer: [make(module, optimizer)], 8)
    for saved in (mine.state_dict(), other.state_dict()):
        again, _ = scheduled(torch, lr=0.7)
        resumed = make(lr_scheduler, again)
        again.load_state_dict(ours.state_dict())
        resumed.load_state_dict(saved)
        before = rates(ours)
        for _ in range(10):
            resumed.step()
        assert rates(ours) == before
        expected, _ = scheduled(torch, lr=0.7)
        alone = make(lr_scheduler, expected)
        expected.load_state_dict(ours.state_dict())
        alone.load_state_dict(mine.state_dict())
        for _ in range(10):
            alone.step()
        compare(again, expected)
    for _ in range(10):
        mine.step()
    compare(again, ours)


def test_the_state_of_a_callable_object():
    make = lambda by: lr_scheduler.LambdaLR(SGD([one()], lr=1.0), [Slower(by)])  # noqa: E731
    first, second = make(0.5), make(3.0)
    second.load_state_dict(first.state_dict())
    assert second.lr_lambdas[0].by == 0.5
    first.lr_lambdas[0].by = 7
    assert second.lr_lambdas[0].by == 0.5


BAD = [
    (lambda m, o: m.LambdaLR(o, [abs, abs]), "LambdaLR: got 2 functions for 1 parameter groups"),
    (lambda m, o: m.MultiplicativeLR(o, 3), "MultiplicativeLR: lr_lambda must be a function, got int"),
    (lambda m, o: m.ConstantLR(o, 1.5), "ConstantLR: factor must be at most 1, got 1.5"),
    (lambda m, o: m.LinearLR(o, 0.0), "LinearLR: factors must be above 0 at the start and at most 1, got 0.0 and 1.0"),
    (lambda m, o: m.PolynomialLR(o, 0), "PolynomialLR: total_iters must be at least 1, got 0"),
    (lambda m, o: m.CosineAnnealingWarmRestarts(o, 0), "CosineAnnealingWarmRestarts: T_0 must be at least 1, got 0"),
    (lambda m, o: m.CosineAnnealingWarmRestarts(o, 2).step(-1), "epoch must be at least 0, got -1"),
    (lambda m, o: m.OneCycleLR(o, 0.1), "OneCycleLR: needs total_steps, or epochs and steps_per_epoch"),
    (lambda m, o: m.OneCycleLR(o, 0.1, 10, pct_start=1.5), "OneCycleLR: pct_start must be at most 1, got 1.5"),
    (lambda m, o: m.OneCycleLR(o, 0.1, 10, anneal_strategy="x"), "anneal_strategy must be one of cos, linear, got 'x'"),
    (lambda m, o: m.OneCycleLR(o, [0.1, 0.2], 10), "OneCycleLR: max_lr has 2 values for 1 parameter groups"),
    (
        lambda m, o: m.OneCycleLR(ag.optim.Adagrad([one()]), 0.1, 10),
        "OneCycleLR: Adagrad has neither momentum nor betas; use cycle_momentum=False",
    ),
    (
        lambda m, o: m.CyclicLR(o, 0.1, 0.2, mode="x"),
        "CyclicLR: mode must be one of triangular, triangular2, exp_range",
    ),
    (lambda m, o: m.CyclicLR(o, 0.1, 0.2, step_size_up=0), "CyclicLR: step_size_up must be at least"),
    (lambda m, o: m.ReduceLROnPlateau(o, factor=1.0), "ReduceLROnPlateau: factor must be in"),
    (lambda m, o: m.ReduceLROnPlateau(o, "x"), "ReduceLROnPlateau: mode must be one of min, max, got 'x'"),
    (lambda m, o: m.ReduceLROnPlateau(o, min_lr=[0, 1]), "ReduceLROnPlateau: min_lr has 2 values for 1"),
    (lambda m, o: m.ChainedScheduler([]), "ChainedScheduler: needs at least one scheduler"),
    (lambda m, o: m.ChainedScheduler([3]), "ChainedScheduler: scheduler 0 is a int, which has no optimizer"),
    (
        lambda m, o: m.SequentialLR(o, [m.ReduceLROnPlateau(o)], []),
        "SequentialLR: scheduler 0 is a ReduceLROnPlateau, whose step needs a figure",
    ),
    (
        lambda m, o: m.SequentialLR(SGD([one()]), [m.StepLR(o, 1)], []),
        "SequentialLR: scheduler 0, StepLR, is of another optimizer",
    ),
    (
        lambda m, o: m.SequentialLR(o, [m.StepLR(o, 1)], [1]),
        "SequentialLR: 1 schedulers need 0 milestones, got 1",
    ),
]


def test_schedule_errors():
    optimizer = SGD([one()], lr=0.1)
    with pytest.raises(DTypeError, match="StepLR: optimizer must be an Optimizer, got int"):
        lr_scheduler.StepLR(3, 1)
    with pytest.raises(ArgumentError, match="StepLR: step_size must be at least 1, got 0"):
        lr_scheduler.StepLR(optimizer, 0)
    with pytest.raises(DTypeError, match=r"StepLR: step_size must be an integer, got 1\.5"):
        lr_scheduler.StepLR(optimizer, 1.5)
    with pytest.raises(DTypeError, match="ExponentialLR: gamma must be a number, got 'a'"):
        lr_scheduler.ExponentialLR(optimizer, "a")
    with pytest.raises(ArgumentError, match="CosineAnnealingLR: T_max must be at least 1, got 0"):
        lr_scheduler.CosineAnnealingLR(optimizer, 0)
    with pytest.raises(ArgumentError, match="ExponentialLR: group 0 needs an initial_lr to resume at epoch 3"):
        lr_scheduler.ExponentialLR(optimizer, 0.9, last_epoch=3)
    for make, message in BAD:
        with pytest.raises((ArgumentError, DTypeError), match=message):
            make(lr_scheduler, optimizer)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.9)
    step = lr_scheduler.StepLR(optimizer, 3)
    with pytest.raises(StateDictError, match=r"ExponentialLR: the state dict has .*step_size.*, the schedule has"):
        schedule.load_state_dict(step.state_dict())
    with pytest.raises(StateDictError, match="for 2 parameter groups, the optimizer has 1"):
        schedule.load_state_dict({**schedule.state_dict(), "_last_lr": [1.0, 1.0]})
    assert schedule.base_lrs == [0.1]
