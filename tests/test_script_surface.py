"""What scripts touch round the mathematics: devices, switches, old names; beside PyTorch's build without a GPU."""

from __future__ import annotations

import copy
import importlib
import inspect
import pkgutil
import warnings
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import autograd_cnn as ag
from autograd_cnn import nn, optim
from autograd_cnn.errors import ArgumentError, DeviceError, NoCudaError

# Devices


def test_devices_are_compared_printed_and_copied(torch: ModuleType) -> None:
    for name in ("cpu", "cuda", "cuda:1", "mps", "meta"):
        ours, theirs = ag.device(name), torch.device(name)
        assert (repr(ours), str(ours), ours.type, ours.index) == (repr(theirs), str(theirs), theirs.type, theirs.index)
        assert ours == ag.device(name)
        assert hash(ours) == hash(ag.device(name))
        assert copy.deepcopy(ours) == ours
        assert isinstance(ours, ag.device)
        assert (ours == "cpu") == (theirs == "cpu")
    assert ag.device("cuda", 1) == ag.device("cuda:1") != ag.device("cuda") != ag.device("cpu")
    assert ag.device(ag.device("cuda")) == ag.device("cuda")
    assert ag.device(type="cpu") is ag.zeros(1).device
    assert copy.deepcopy(ag.device("cpu")) is ag.device("cpu")
    assert ag.zeros(1, device="cpu:0").device == ag.device("cpu:0")
    assert not isinstance("cpu", ag.device)


@pytest.mark.parametrize("args", [("gpu",), ("cuda:x",), ("cuda:1", 2), (0,), ("",), ("cuda", -3)])
def test_what_is_no_device(args: tuple[Any, ...], torch: ModuleType) -> None:
    with pytest.raises(RuntimeError):
        torch.device(*args)
    with pytest.raises((DeviceError, ArgumentError), match="device"):
        ag.device(*args)


def test_nothing_can_be_put_on_a_device_that_is_not_there() -> None:
    absent = ag.device("cuda:0")
    model = nn.Linear(2, 2)
    before = model.state_dict()
    for use in (
        lambda: ag.zeros(2, device=absent),
        lambda: ag.zeros(2).to(absent),
        lambda: ag.zeros(2).to("cuda"),
        lambda: ag.tensor([1.0], device="mps"),
        lambda: model.to(absent),
        lambda: ag.Generator(device=absent),
        lambda: ag.set_default_device(absent),
        lambda: absent.__enter__(),
    ):
        with pytest.raises(DeviceError, match=r"there is no device '(cuda|mps)"):
            use()
    for use in (lambda: ag.zeros(1).cuda(), lambda: model.cuda()):
        with pytest.raises(NoCudaError, match="no CUDA device"):
            use()
    assert all((model.state_dict()[name] == value).all() for name, value in before.items())
    with ag.device("cpu"):
        assert ag.zeros(1).device.type == "cpu"
    ag.set_default_device("cpu")
    assert ag.get_default_device() == ag.device("cpu")


QUERIES = """
    is_available device_count current_device is_initialized init seed seed_all initial_seed synchronize empty_cache
    memory_allocated max_memory_allocated memory_reserved max_memory_reserved get_device_name get_device_capability
    get_device_properties get_rng_state get_rng_state_all is_bf16_supported current_stream mem_get_info get_arch_list
    memory_stats
"""
CUDA: dict[str, tuple[Any, ...]] = dict.fromkeys(QUERIES.split(), ()) | {"manual_seed": (1,), "manual_seed_all": (1,)}


@pytest.mark.parametrize("name", CUDA)
def test_cuda_answers_as_pytorchs_build_without_it(name: str, torch: ModuleType) -> None:
    ours, theirs = getattr(ag.cuda, name), getattr(torch.cuda, name)
    assert list(inspect.signature(ours).parameters) == list(inspect.signature(theirs).parameters)
    try:
        expected = theirs(*CUDA[name])
    except AssertionError:
        with pytest.raises(AssertionError, match=f"cuda.{name}: there is no CUDA device"):
            ours(*CUDA[name])
        return
    assert ours(*CUDA[name]) == expected


def test_cuda_objects_cannot_be_made() -> None:
    for refuse in (ag.cuda.Stream, ag.cuda.Event, lambda: ag.cuda.set_device(0)):
        with pytest.raises(NoCudaError):
            refuse()
    ag.cuda.reset_peak_memory_stats()
    assert ag.cuda.amp.GradScaler is ag.amp.GradScaler


def test_no_accelerator(torch: ModuleType) -> None:
    for name in ("is_available", "device_count", "current_accelerator"):
        assert getattr(ag.accelerator, name)() == getattr(torch.accelerator, name)()
    for name in ("current_device_index", "synchronize", "current_stream"):
        for package in (ag, torch):
            with pytest.raises(RuntimeError, match="accelerator"):
                getattr(package.accelerator, name)()
    with pytest.raises(DeviceError):
        ag.accelerator.set_device_index(0)


def test_backends_tell_the_truth(torch: ModuleType) -> None:
    for name in ("cudnn", "mps", "mkl", "mkldnn", "openmp", "cuda"):
        module = importlib.import_module(f"autograd_cnn.backends.{name}")
        assert getattr(ag.backends, name) is module
    for backend in (ag.backends.cudnn, ag.backends.mps, ag.backends.mkl, ag.backends.mkldnn):
        assert backend.is_available() is False
    assert isinstance(ag.backends.openmp.is_available(), bool)
    assert not ag.backends.mps.is_built()
    assert not ag.backends.cuda.is_built()
    assert ag.backends.cudnn.version() is None
    for switch in ("enabled", "benchmark", "deterministic", "allow_tf32"):
        assert getattr(ag.backends.cudnn, switch) == getattr(torch.backends.cudnn, switch)
    assert ag.backends.cuda.matmul.allow_tf32 == torch.backends.cuda.matmul.allow_tf32
    with ag.backends.cudnn.flags(benchmark=True):
        assert ag.backends.cudnn.benchmark
        assert not ag.backends.cudnn.enabled
    assert not ag.backends.cudnn.benchmark
    assert ag.backends.cudnn.enabled


# Switches


def test_switches_are_remembered_as_pytorchs_are(torch: ModuleType) -> None:
    for package in (torch, ag):
        package.use_deterministic_algorithms(True, warn_only=True)
        assert package.are_deterministic_algorithms_enabled()
        assert package.is_deterministic_algorithms_warn_only_enabled()
        assert package.get_deterministic_debug_mode() == 1
        package.set_deterministic_debug_mode("error")
        assert package.get_deterministic_debug_mode() == 2
        package.set_deterministic_debug_mode(0)
        assert not package.are_deterministic_algorithms_enabled()
        assert package.get_float32_matmul_precision() == "highest"
        package.set_float32_matmul_precision("high")
        assert package.get_float32_matmul_precision() == "high"
        package.set_float32_matmul_precision("highest")
        with pytest.raises((RuntimeError, ValueError)):
            package.set_deterministic_debug_mode("sometimes")
    with pytest.raises(ArgumentError, match="'low' is not one of"):
        ag.set_float32_matmul_precision("low")
    assert ag.set_flush_denormal(True) is False
    for wrong in (0, 1.5, True):
        with pytest.raises(ArgumentError):
            ag.set_num_interop_threads(wrong)  # type: ignore[arg-type]
        with pytest.raises(ArgumentError):
            ag.set_num_threads(wrong)  # type: ignore[arg-type]


def test_numbers_of_threads() -> None:
    before = ag.get_num_threads()
    ag.set_num_threads(1)
    assert ag.get_num_threads() == 1
    ag.set_num_threads(10_000)
    assert 1 <= ag.get_num_threads() < 10_000
    ag.set_num_threads(before)


def test_default_tensor_type() -> None:
    for kind, dtype in ((ag.DoubleTensor, ag.float64), ("torch.FloatTensor", ag.float32)):
        ag.set_default_tensor_type(kind)
        assert ag.zeros(1).dtype == dtype
    for wrong in (ag.LongTensor, "torch.HalfTensor", 3):
        with pytest.raises(RuntimeError):
            ag.set_default_tensor_type(wrong)
    assert ag.get_default_dtype() == ag.float32


def test_autocast_says_that_it_changes_nothing() -> None:
    x = ag.ones(2, 2)
    with pytest.warns(UserWarning, match="float32 and float64 only"):
        context = ag.autocast("cpu")
    with context:
        assert (x @ x).dtype == ag.float32
        assert not ag.is_autocast_enabled()
    with pytest.warns(UserWarning, match="no 'cuda' device"):
        context = ag.amp.autocast("cuda", dtype=ag.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        @ag.autocast("cuda", enabled=False)
        def double(value: int) -> int:
            return 2 * value

        with context:
            assert double(4) == 8
    assert double.__name__ == "double"
    with pytest.raises(DeviceError):
        ag.autocast("toaster")


def test_grad_scaler_trains_as_without_one() -> None:
    def train(scaler: Any) -> Any:
        ag.manual_seed(0)
        model = nn.Linear(3, 1)
        optimizer = optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            loss = model(ag.ones(2, 3)).sum()
            optimizer.zero_grad()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
        return model.weight

    class Plain:
        scale = staticmethod(lambda loss: loss)
        unscale_ = staticmethod(lambda optimizer: None)
        step = staticmethod(lambda optimizer: optimizer.step())
        update = staticmethod(lambda: None)

    with pytest.warns(UserWarning, match="disabled"):
        scaler = ag.GradScaler("cuda")
    assert ag.equal(train(scaler), train(Plain))
    assert scaler.state_dict() == {}
    scaler.load_state_dict({})
    assert not scaler.is_enabled()


def test_compile_and_jit() -> None:
    model = nn.Linear(2, 2)
    assert ag.compile(model) is model

    @ag.compile(fullgraph=True)
    def double(x: Any) -> Any:
        return 2 * x

    assert double(2) == 4
    assert not ag.jit.is_scripting()
    assert ag.jit.ignore(double) is double
    assert ag.jit.unused(double) is double
    assert ag.jit.annotate(int, 3) == 3
    for refused in (ag.jit.script, ag.jit.trace, ag.jit.load):
        with pytest.raises(NotImplementedError, match="no TorchScript"):
            refused(model)


# Dtypes


def test_what_dtypes_are_asked(torch: ModuleType) -> None:
    pairs = [(getattr(ag, n), getattr(torch, n)) for n in ("bool", "uint8", "int", "long", "float", "double")]
    named = {theirs: ours for ours, theirs in pairs}
    for ours, theirs in pairs:
        for other, their_other in pairs:
            if {ours, other} != {ag.bool, ag.uint8}:
                assert ag.promote_types(ours, other) == named[torch.promote_types(theirs, their_other)]
            assert ag.can_cast(ours, other) == torch.can_cast(theirs, their_other) or ours == ag.uint8
        x, y = ag.zeros(2, dtype=ours), torch.zeros(2, dtype=theirs)
        for number in (True, 1, 1.5):
            assert ag.result_type(x, number) == named[torch.result_type(y, number)]
            assert ag.result_type(number, x.sum()) == named[torch.result_type(number, y.sum())]
        assert ag.is_floating_point(x) == torch.is_floating_point(y)
        assert ag.is_complex(x) == torch.is_complex(y)
    for field in ("eps", "max", "min", "tiny", "bits"):
        assert float(getattr(ag.finfo(ag.float64), field)) == getattr(torch.finfo(torch.float64), field)
    assert ag.finfo().bits == 32
    for package in (ag, torch):
        with pytest.raises(TypeError):
            package.finfo(package.int64)
        with pytest.raises(TypeError):
            package.iinfo(package.float32)
    assert ag.iinfo(ag.int64).max == torch.iinfo(torch.int64).max
    assert (ag.numel(ag.zeros(2, 3)), ag.is_nonzero(ag.tensor([[2]]))) == (6, True)
    assert (ag.pi, ag.e, ag.inf, ag.newaxis) == (torch.pi, torch.e, torch.inf, None)
    assert np.isnan(ag.nan)
    with ag.inference_mode():
        assert ag.is_inference(ag.zeros(1))
    with pytest.raises(RuntimeError):
        ag.is_nonzero(ag.zeros(2))
    with pytest.raises(TypeError):
        ag.numel([1])  # type: ignore[arg-type]


# Old names


OLD_INIT = [name for name in dir(nn.init) if hasattr(nn.init, name + "_") and not name.startswith("_")]


@pytest.mark.parametrize("name", OLD_INIT)
def test_old_names_of_initialisations(name: str, torch: ModuleType) -> None:
    extra = {"constant": (3.0,), "sparse": (0.5,)}.get(name, ())
    shape = (3, 3, 3) if name == "dirac" else (4, 3)
    results = []
    for call in (name, name + "_"):
        ag.manual_seed(1)
        weight = ag.zeros(*shape)
        if call == name:
            with pytest.warns(FutureWarning, match=f"nn.init.{name} is now called nn.init.{name}_"):
                results.append(nn.init.__dict__[call](weight, *extra))
            with pytest.warns(FutureWarning):
                torch.nn.init.__dict__[call](torch.zeros(*shape), *extra)
        else:
            results.append(nn.init.__dict__[call](weight, *extra))
    assert ag.equal(*results)


def test_all_old_names_are_there(torch: ModuleType) -> None:
    theirs = [n for n in dir(torch.nn.init) if hasattr(torch.nn.init, n + "_") and not n.startswith("_")]
    assert sorted(OLD_INIT) == sorted(theirs)


def test_sparse_initialisation() -> None:
    weight = nn.init.sparse_(ag.empty(40, 30), 0.34, std=0.5)
    assert ((weight == 0).sum(0) == 14).all()
    rest = weight.numpy()[weight.numpy() != 0]
    assert 0.4 < rest.std() < 0.6
    for wrong, shape in ((1.5, (2, 2)), (0.5, (2,))):
        with pytest.raises(ValueError, match="sparse_"):
            nn.init.sparse_(ag.empty(*shape), wrong)


def test_another_name_of_data() -> None:
    from autograd_cnn import data
    from autograd_cnn.utils.data import DataLoader, Dataset, dataloader, dataset, sampler

    assert (DataLoader, Dataset) == (data.DataLoader, data.Dataset)
    assert ag.utils.data.random_split is data.random_split
    for module in (dataloader, dataset, sampler):
        for name in (n for n in dir(module) if n[0] != "_" and hasattr(data, n)):
            assert getattr(module, name) is getattr(data, name)


def test_modules_are_where_pytorch_has_them(torch: ModuleType) -> None:
    """A module that is added to `nn` belongs into the file of `nn.modules` that PyTorch has it in."""
    missing = []
    for file in pkgutil.iter_modules(torch.nn.modules.__path__):
        theirs = importlib.import_module(f"torch.nn.modules.{file.name}")
        for name, value in vars(theirs).items():
            own = inspect.isclass(value) and value.__module__ == theirs.__name__ and name[0] != "_"
            if own and hasattr(nn, name):
                try:
                    ours = importlib.import_module(f"autograd_cnn.nn.modules.{file.name}")
                except ImportError:
                    ours = None
                if getattr(ours, name, None) is not getattr(nn, name):
                    missing.append(f"nn.modules.{file.name}.{name}")
                if hasattr(torch.nn.modules, name) and not hasattr(nn.modules, name):
                    missing.append(f"nn.modules.{name}")
    assert not missing


def test_bases_and_tuples_of_modules(torch: ModuleType) -> None:
    from autograd_cnn.nn.modules import batchnorm, conv, instancenorm, loss, utils

    assert isinstance(nn.BatchNorm2d(3), batchnorm._BatchNorm)
    assert isinstance(nn.InstanceNorm1d(3), instancenorm._InstanceNorm)
    assert isinstance(nn.Conv2d(1, 1, 1), conv._ConvNd)
    assert isinstance(nn.ConvTranspose1d(1, 1, 1), conv._ConvTransposeNd)
    assert isinstance(nn.MSELoss(), loss._Loss)
    assert isinstance(nn.NLLLoss(), loss._WeightedLoss)
    theirs = importlib.import_module("torch.nn.modules.utils")
    for name in ("_single", "_pair", "_triple", "_quadruple"):
        for value in (3, (1, 2, 3), [4]):
            assert getattr(utils, name)(value) == getattr(theirs, name)(value)
    assert utils._reverse_repeat_tuple((1, 2, 3), 2) == theirs._reverse_repeat_tuple((1, 2, 3), 2)
    for given in (5, [None, 2], [3, 4]):
        assert utils._list_with_default(given, [7, 8, 9]) == theirs._list_with_default(given, [7, 8, 9])
    states: list[dict[str, Any]] = [{"module.a": 1, "b": 2} for _ in range(2)]
    utils.consume_prefix_in_state_dict_if_present(states[0], "module.")
    theirs.consume_prefix_in_state_dict_if_present(states[1], "module.")
    assert states[0] == states[1]


def test_paths_of_old_scripts(torch: ModuleType) -> None:
    from autograd_cnn.autograd.function import Function, once_differentiable
    from autograd_cnn.optim.lr_scheduler import LRScheduler, _LRScheduler

    assert (Function, once_differentiable) == (ag.autograd.Function, ag.autograd.once_differentiable)
    assert _LRScheduler is LRScheduler
    importlib.import_module("autograd_cnn.nn.parallel")
    layer = nn.Linear(3, 2)
    theirs = torch.nn.DataParallel(torch.nn.Linear(3, 2))
    assert list(nn.DataParallel(layer).state_dict()) == list(theirs.state_dict())
    x = ag.ones(4, 3)
    np.testing.assert_array_equal(nn.DataParallel(layer)(x).detach().numpy(), layer(x).detach().numpy())


def test_softmax_without_a_dimension_says_so_when_it_is_called() -> None:
    for layer in (nn.Softmax(), nn.LogSoftmax(), nn.Softmin()):
        with pytest.raises(ArgumentError, match="dim"):
            layer(ag.ones(2, 2))
