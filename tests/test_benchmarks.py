"""The benchmarks' machinery, on planted figures: nothing is timed here."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from functools import partial

import numpy as np
import pytest
from typer.testing import CliRunner

import autograd_cnn as ag
from autograd_cnn.nn import functional as F
from benchmarks import __main__ as command
from benchmarks import accuracy, peaks, record, timing
from benchmarks import peers as libraries
from benchmarks.case import Case, UnknownCaseError, select
from benchmarks.conv import Shape, resnet18, shapes, vgg16
from benchmarks.families import FAMILIES, all_cases
from benchmarks.machine import processor, slug
from benchmarks.networks import NETWORKS
from benchmarks.peaks import Peaks
from benchmarks.record import Setting
from benchmarks.step import prepare
from benchmarks.table import table
from benchmarks.timing import DisagreementError, Measurement

MACHINE = "Some CPU (family 1, model 2), 2 cores"
SETTING = Setting(2, {"torch": "2.0"}, Peaks(100.0, 10.0))


def planted(family: str, name: str, ours: float, torch: float | None, noise: float = 0.05, **options) -> Case:
    """A case whose measurement is known before."""
    figures = {"ours": ours} if torch is None else {"ours": ours, "torch": torch}
    measurement = Measurement(figures, torch and torch / ours, torch and noise)
    return Case(family, name, lambda peers: {}, measure=lambda case, sides: measurement, **options)


def measured(*cases: Case) -> dict[Case, Measurement]:
    return {case: case.measure(case, {}) for case in cases}


# Selection


def test_cases_have_names_of_their_own_and_a_family():
    cases = list(all_cases())
    assert max(Counter(case.key for case in cases).values()) == 1
    assert {case.family for case in cases} <= FAMILIES.keys()


def test_a_family_or_a_part_of_a_name_selects():
    cases = [
        planted("conv", "8x64 forward", 1, 1),
        planted("conv", "16x64 forward", 1, 1),
        planted("pool", "8x64 2x2", 1, 1),
    ]
    assert select(cases, []) == cases
    assert select(cases, ["conv"]) == cases[:2]
    assert select(cases, ["conv:8x64"]) == cases[:1]
    assert select(cases, ["8x64"]) == [cases[0], cases[2]]
    assert select(cases, ["pool", "16x"]) == cases[1:]
    with pytest.raises(UnknownCaseError, match=r"no case fits 'conv:pool'; there are the families conv, pool"):
        select(cases, ["conv:pool"])


def test_a_whole_name_is_no_part_of_another():
    cases = [planted("step", "MLP, batch 1", 1, 1), planted("step", "MLP, batch 128", 1, 1)]
    assert select(cases, ["step:MLP, batch 1"]) == select(cases, ["MLP, batch 1"]) == cases[:1]
    assert select(cases, ["step:batch 1"]) == cases


def test_the_512_channels_of_small_images_are_found():
    assert {case.group for case in select(all_cases(), ["conv:512x4x4"])} == {
        "forward",
        "input gradient",
        "weight gradient",
    }


# Shapes


def test_convolutions_of_well_known_networks():
    assert [(s.channels, s.size, s.outputs) for s in dict.fromkeys(vgg16(32))] == [
        *((3, 32, 64), (64, 32, 64), (64, 16, 128), (128, 16, 128), (128, 8, 256), (256, 8, 256)),
        *((256, 4, 512), (512, 4, 512), (512, 2, 512)),
    ]
    assert [(s.channels, s.size, s.outputs, s.kernel, s.stride) for s in resnet18(56)] == [
        *((3, 56, 64, 7, 2), (64, 14, 64, 3, 1)),
        *((64, 14, 128, 3, 2), (64, 14, 128, 1, 2), (128, 7, 128, 3, 1)),
        *((128, 7, 256, 3, 2), (128, 7, 256, 1, 2), (256, 4, 256, 3, 1)),
        *((256, 4, 512, 3, 2), (256, 4, 512, 1, 2), (512, 2, 512, 3, 1)),
    ]


@pytest.mark.parametrize("shape", [Shape(1, 4, 9, 8, 3, 2, 1), Shape(1, 4, 9, 8, 3, 1, 2, 2, 2)], ids=str)
def test_a_shape_knows_the_size_of_its_result(shape):
    weight = ag.zeros(shape.outputs, shape.channels // shape.groups, shape.kernel, shape.kernel)
    settings = (shape.stride, shape.padding, shape.dilation, shape.groups)
    y = F.conv2d(ag.zeros(1, shape.channels, shape.size, shape.size), weight, None, *settings)
    assert y.shape == (1, shape.outputs, shape.end, shape.end)


def test_every_setting_of_a_convolution_is_in_its_name():
    assert len({str(shape) for shape in shapes()}) == len(set(shapes()))


# Networks: the same in every namespace


@pytest.mark.parametrize(
    ("peer", "name"),
    [*(("torch", name) for name in NETWORKS), *(("jax", name) for name in ("LeNet-5", "ResNet", "MobileNet"))],
)
def test_networks_learn_the_same_everywhere(peer, name):
    module = pytest.importorskip(peer)
    peers = libraries.Peers((peer,), ag, module if peer == "torch" else None)
    case = Case("step", name, partial(prepare, NETWORKS[name], 4), checked_runs=2, tolerance=1e-3)
    timing.check(case, case.prepare(peers))


# Measuring


def test_medians_the_best_peer_and_the_scatter_of_the_ratio():
    rounds = [{"torch": t, "ours": 2.0, "jax": 9.0} for t in (3.0, 4.0, 4.0, 4.0, 5.0)]
    result = timing.summary(rounds)
    assert result.figures == {"ours": 2.0, "jax": 9.0, "torch": 4.0}
    assert (result.ratio, result.noise) == (2.0, 0.0)
    scattered = timing.summary([{"ours": 1.0, "torch": t} for t in (1.0, 2.0, 3.0, 4.0, 5.0)])
    assert (scattered.ratio, scattered.noise) == (3.0, pytest.approx(2 / 3))


def test_without_a_peer_there_is_no_ratio():
    assert timing.summary([{"ours": 2.0}]) == Measurement({"ours": 2.0}, None, None)


def test_sides_that_compute_different_things_are_not_timed():
    case = planted("conv", "x", 1, 1)
    timing.check(case, {"ours": lambda: ag.ones(3), "torch": lambda: [np.ones(3, np.float32)]})
    for wrong in (np.array([1, 1, 1.1]), np.ones(4), np.array([1, np.nan, 1])):
        sides = {"ours": lambda: np.ones(3), "torch": lambda wrong=wrong: wrong}
        with pytest.raises(DisagreementError, match="conv:x: our result and that of torch differ"):
            timing.measure(case, sides)


def test_measuring_takes_turns():
    turns = []
    sides = {"ours": lambda: turns.append("ours") or 1.0, "torch": lambda: turns.append("torch") or 1.0}
    result = timing.measure(Case("a", "b", lambda peers: sides, seconds=0), sides)
    assert result.ratio > 0
    bursts = [side for side, _ in itertools.groupby(turns)]
    assert len(bursts) > timing.ROUNDS[0]


def test_peaks_are_those_of_a_machine(monkeypatch):
    monkeypatch.setattr(peaks, "STEPS", 1000)
    monkeypatch.setattr(peaks, "TRIAD", 1000)
    found = peaks.measure()
    assert found.gflops > 0
    assert found.gbytes > 0


def test_fraction_of_the_peak():
    assert (
        record.fraction(
            planted("a", "b", 2.0, None, operations=1e8), Measurement({"ours": 2.0}, None, None), SETTING.peaks
        )
        == 0.5
    )
    assert (
        record.fraction(planted("a", "b", 2.0, None, bytes=1e7), Measurement({"ours": 2.0}, None, None), SETTING.peaks)
        == 0.5
    )
    assert record.fraction(planted("a", "b", 2.0, None), Measurement({"ours": 2.0}, None, None), SETTING.peaks) is None


def test_machines_have_names():
    cpuinfo = "processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n"
    assert processor(cpuinfo) == "AMD EPYC (family 26, model 2)"
    assert slug("AMD EPYC (family 26, model 2), 2 cores") == "amd-epyc-family-26-model-2-2-cores"
    assert processor("")


# Records


def test_geometric_means_of_groups_and_of_all():
    means = record.geometric_means([("forward", 4.0), ("forward", 1.0), ("backward", 1.0), ("backward", None)])
    assert means == {"forward": 2.0, "backward": 1.0, "all": pytest.approx(4 ** (1 / 3))}
    assert record.geometric_means([("forward", 4.0)]) == {"forward": 4.0}
    assert record.geometric_means([("", 4.0)]) == {"all": 4.0}


def test_records_are_read_as_they_were_written(tmp_path):
    path = record.path_for(MACHINE, tmp_path)
    known = record.load(path, MACHINE)
    cases = measured(planted("conv", "x", 1.0, 2.0, group="forward"), planted("conv", "y", 3.0, None))
    known["families"]["conv"] = record.family(SETTING, cases)
    known["floors"] |= record.floors(2, cases)
    record.save(path, known)
    assert record.load(path, MACHINE) == known
    entry = known["families"]["conv"]
    assert entry["peaks"] == {"gflops": 100.0, "gbytes": 10.0}
    assert entry["cases"]["x"]["ms"] == {"ours": 1.0, "torch": 2.0}
    assert known["floors"] == {"conv:x": {"ratio": 2.0, "noise": 0.05, "threads": 2, "against": ["torch"]}}
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("torch", "noise", "falls"), [(2.0, 0.05, False), (1.91, 0.05, False), (1.8, 0.05, True), (1.8, 0.2, False)]
)
def test_a_case_falls_below_its_floor_by_more_than_noise(torch, noise, falls):
    floors = {"floors": record.floors(2, measured(planted("conv", "x", 1.0, 2.0)))}
    case = planted("conv", "x", 1.0, torch, noise)
    said = record.below_floor(floors, case, case.measure(case, {}))
    assert said == (f"conv:x: ratio {torch:.2f}, floor 2.00, noise 5%" if falls else None)


# The command


class Bench:
    """`python -m benchmarks` over planted cases, in a folder of its own."""

    def __init__(self, folder, monkeypatch):
        self.folder = folder
        self.patch = monkeypatch
        self.measured = []
        monkeypatch.setattr(command, "this_machine", lambda: MACHINE)
        monkeypatch.setattr(command, "cores", lambda: 2)
        monkeypatch.setattr(peaks, "measure", lambda: SETTING.peaks)
        monkeypatch.setattr(libraries, "missing", lambda name: None)
        monkeypatch.setattr(libraries, "versions", lambda peers: SETTING.versions)
        monkeypatch.setattr(
            libraries, "load", lambda names, threads: libraries.Peers(tuple(names), ag, threads=threads)
        )

    def __call__(self, cases, *arguments, exit_code=0):
        self.patch.setattr(command, "all_cases", lambda: iter(cases))
        result = CliRunner().invoke(command.app, ["--results", str(self.folder), "--peers", "torch", *arguments])
        assert result.exit_code == exit_code, result.output
        return result.output

    @property
    def record(self):
        return json.loads(record.path_for(MACHINE, self.folder).read_text())


@pytest.fixture
def bench(tmp_path, monkeypatch):
    return Bench(tmp_path, monkeypatch)


def test_only_the_families_that_ran_whole_are_written(bench):
    cases = [planted("conv", "x", 1.0, 2.0), planted("conv", "y", 1.0, 2.0), planted("pool", "z", 1.0, 2.0)]
    output = bench(cases)
    assert "peaks 100 GFLOP/s, 10.0 GB/s" in output
    before = bench.record["families"]
    assert list(before) == ["conv", "pool"]
    faster = [planted(case.family, case.name, 1.0, 3.0) for case in cases]
    assert "3.00" in bench(faster, "--only", "conv:x")
    assert bench.record["families"] == before
    bench(faster, "--only", "pool")
    assert bench.record["families"]["conv"] == before["conv"]
    assert bench.record["families"]["pool"]["cases"]["z"]["ratio"] == 3.0


def test_of_parts_of_families_nothing_is_written(bench):
    bench([planted("conv", "x", 1.0, 2.0), planted("conv", "y", 1.0, 2.0)], "--only", "conv:x")
    assert not any(bench.folder.iterdir())


def test_a_listing_measures_nothing(bench):
    assert bench([planted("conv", "x [1]", 1.0, 2.0)], "--list") == "conv:x [1]\n"
    assert not any(bench.folder.iterdir())


def test_check_without_a_file_for_this_machine(bench):
    output = bench([planted("conv", "x", 1.0, 2.0)], "--check", exit_code=1)
    assert f"no floors for these cases on {MACHINE}" in " ".join(output.split())


def test_check_names_each_case_that_fell(bench):
    bench([planted("conv", "x", 1.0, 2.0), planted("conv", "y", 1.0, 2.0)], "--record")
    before = bench.record
    bench([planted("conv", "x", 1.0, 1.95), planted("conv", "y", 1.0, 2.5)], "--check")
    slower = [planted("conv", "x", 1.0, 1.5), planted("conv", "y", 1.0, 2.0)]
    output = bench(slower, "--check", exit_code=1)
    assert "conv:x: ratio 1.50, floor 2.00, noise 5%" in output
    assert "conv:y" not in output
    assert bench.record == before


def test_check_measures_again_before_it_fails(bench):
    bench([planted("conv", "x", 1.0, 2.0)], "--record")
    ratios = iter([1.0, 1.0, 2.0])
    case = Case(
        "conv",
        "x",
        lambda peers: {},
        measure=lambda case, sides: Measurement({"ours": 1.0, "torch": 1.0}, next(ratios), 0.0),
    )
    bench([case], "--check")
    assert next(ratios, None) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--peers", ""], "recorded against torch too"), (["--threads", "1"], "recorded with 2 threads, this run has 1")],
)
def test_check_refuses_to_compare_the_incomparable(bench, arguments, message):
    cases = [planted("conv", "x", 1.0, 2.0)]
    bench(cases, "--record")
    assert message in " ".join(bench(cases, "--check", *arguments, exit_code=1).split())


def test_unknown_names_are_refused(bench):
    assert "no case fits" in bench([planted("conv", "x", 1.0, 2.0)], "--only", "nothing", exit_code=2)
    assert "may run on 2 cores" in bench([planted("conv", "x", 1.0, 2.0)], "--threads", "3", exit_code=2)
    assert "no peer 'tensorflow'" in bench([planted("conv", "x", 1.0, 2.0)], "--peers", "tensorflow", exit_code=2)


def test_a_missing_peer_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(libraries.importlib.util, "find_spec", lambda name: None)
    assert libraries.missing("jax") == "jax is not installed and is left out: pip install 'autograd_cnn[benchmarks]'"


def test_the_table_marks_what_is_slower():
    cases = measured(planted("conv", "x", 1.0, 0.5), planted("conv", "y", 1.0, 2.0))
    ratios = list(table("conv", cases, SETTING.peaks).columns[3].cells)
    assert ratios == ["[red]0.50[/red]", "2.00", "1.00"]


def test_errors_in_ulp_of_every_kind_of_number() -> None:
    unit = 2.0**-23
    exact = np.array([1 + 0.75 * unit, -4.0, 1e39, -1e39, 1e-46, 0.0, np.nan, np.nan, 1.0])
    ours = np.array([1, -4 - 8 * unit, np.inf, np.inf, 0, 2.0**-149, np.nan, 0, np.nan], np.float32)
    found = accuracy.errors(ours, exact)
    assert found[:3].tolist() == [0.75, 2, 0]
    assert found[3] == 2.0**25  # the wrong infinity
    assert found[4] == pytest.approx(1e-46 * 2.0**149)
    assert found[5:].tolist() == [1, 0, np.inf, np.inf]


def test_a_scan_finds_the_worst_number_of_its_range(monkeypatch: pytest.MonkeyPatch) -> None:
    def spoilt(x: np.ndarray) -> np.ndarray:
        return np.where(x == 1.5, 3.0, np.abs(x))

    monkeypatch.setitem(accuracy.EXACT, "abs", spoilt)
    first, last = (int(np.float32(x).view(np.uint32)) for x in (1.25, 1.75))
    assert accuracy.scan("abs", first, last) == (1.5 * 2.0**22, 1.5)
    assert accuracy.scan("abs", first, first + 1000).ulp == 0
