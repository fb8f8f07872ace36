"""The command line: autograd-cnn train, graph, summary, warmup, doctor, cache."""

from __future__ import annotations

import importlib
import json
import re
import shlex
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograd_cnn import doctor as diagnosis
from autograd_cnn import models, random
from autograd_cnn.creation import from_numpy
from autograd_cnn.errors import AutogradCnnError, MissingDependencyError
from autograd_cnn.kernels.cpu import jit
from autograd_cnn.train.curves import save_curves
from autograd_cnn.train.job import OPTIMIZERS, SCHEDULERS, Job, build_model, settings_for
from autograd_cnn.train.progress import ProgressBar
from autograd_cnn.train.sources import SOURCES
from autograd_cnn.train.trainer import DivergedError, Interrupted
from autograd_cnn.version import __version__

app = typer.Typer(
    name="autograd-cnn",
    help="Train networks by kernels that Numba compiles, and see how gradients flow.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def _choice(name: str, values: Sequence[str]) -> Any:
    """An enumeration, so that the command line lists what there is and refuses the rest."""
    return Enum(name, {value: value for value in values}, type=str)


ModelName = _choice("ModelName", list(models.MODELS))
DataName = _choice("DataName", list(SOURCES))
OptimizerName = _choice("OptimizerName", list(OPTIMIZERS))
SchedulerName = _choice("SchedulerName", SCHEDULERS)

Model = Annotated[ModelName, typer.Argument(help="The network.", show_default=False)]
ShapesOf = Annotated[DataName, typer.Option(help="The data set whose shapes it is built for.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout, all else on stderr.")]


@app.command()
def train(
    model: Model,
    data: Annotated[DataName | None, typer.Option(help="The data set.", show_default="digits")] = None,
    folder: Annotated[Path, typer.Option("--out", help="Where all files of the run go.")] = Path("runs/latest"),
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the data.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Images a step.")] = None,
    optimizer: Annotated[OptimizerName | None, typer.Option(help="The optimizer.")] = None,
    lr: Annotated[float | None, typer.Option(min=0, help="The learning rate.")] = None,
    momentum: Annotated[float | None, typer.Option(min=0, max=1, help="For sgd.", show_default="0.9")] = None,
    weight_decay: Annotated[float | None, typer.Option(min=0, help="How much weights shrink.")] = None,
    scheduler: Annotated[SchedulerName | None, typer.Option(help="How the learning rate changes.")] = None,
    augment: Annotated[
        bool | None, typer.Option("--augment/--no-augment", help="Turn, move and scale training images at random.")
    ] = None,
    patience: Annotated[int | None, typer.Option(min=1, help="Stop after so many epochs without progress.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="For weights, shuffling, changes.", show_default="0")] = None,
    checkpoint_every: Annotated[int | None, typer.Option(min=1, help="Also save every so many steps.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out, bit for bit.")] = False,
    as_json: AsJson = False,
) -> None:
    """Train MODEL and leave weights, checkpoints, metrics.csv, curves.png and backward.svg in a folder.

    Settings that are not given are the data set's; all are printed at the start.

    A run that was stopped goes on with --out and --resume alone: its settings were saved.

    Example: autograd-cnn train lenet5 --data digits --out runs/lenet5
    """
    given = {
        "epochs": epochs,
        "batch_size": batch_size,
        "optimizer": optimizer and optimizer.value,
        "lr": lr,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "scheduler": scheduler and scheduler.value,
        "augment": augment,
        "patience": patience,
        "seed": seed,
        "checkpoint_every": checkpoint_every,
    }
    console = err if as_json else out
    progress = ProgressBar(console)
    watching: dict[str, Any] = {"callbacks": (progress,), "progress": _download_notes(console)}
    if resume:
        job = Job.resume(folder, {"model": model.value, "data": data and data.value, **given}, **watching)
    else:
        data_name = DataName.digits if data is None else data
        job = Job.new(settings_for(model.value, data_name.value, **given), folder, **watching)
    _introduce(job, console)
    stop = _show_compiling(progress) if progress.live else lambda: None
    try:
        history = _run(job)
        pictures = _pictures(job)
    finally:
        stop()
    last, best = history[-1]["val_accuracy"], max(row["val_accuracy"] for row in history)
    early = f", stopped early after {job.settings.patience} without progress" if job.trainer.should_stop else ""
    console.print(f"held-out accuracy [bold]{last:.2%}[/] after {len(history)} epochs (best {best:.2%}){early}")
    files = ["model.safetensors", "checkpoints/", "metrics.csv", *pictures]
    console.print(f"in {folder}: {', '.join(files)}", markup=False, soft_wrap=True)
    if as_json:
        _print_json({"folder": str(folder), "files": files, "epochs": len(history), "best": best, **history[-1]})


def _introduce(job: Job, console: Console) -> None:
    settings, trainer = job.settings, job.trainer
    parameters = sum(p.numel() for p in job.model.parameters())
    console.print(
        f"[bold]{settings.model}[/] ({parameters:,} parameters) on {settings.data}: "
        f"{len(job.train_set):,} samples, {len(job.held_out):,} held out"
    )
    console.print(f"[dim]{settings}", soft_wrap=True)
    if job.resumed_from is not None:
        console.print(f"continuing after step {job.resumed_from}, with {trainer.epoch} epochs done")
    if trainer.epoch >= settings.epochs:
        console.print("the run is finished; --epochs goes on where the schedule allows it")


def _run(job: Job) -> list[dict[str, Any]]:
    """Trains; says how to go on where it was stopped, and what is left where it diverged."""
    try:
        return job.run()
    except Interrupted as interrupted:
        again = f"autograd-cnn train {job.settings.model} --out {shlex.quote(str(job.folder))} --resume"
        err.print(
            f"stopped after step {job.trainer.step} and saved; continue with: {again}", markup=False, soft_wrap=True
        )
        raise typer.Exit(128 + interrupted.signal) from None
    except DivergedError as error:
        kept = job.checkpoints.store.latest()
        good = "No checkpoint had been saved yet" if kept is None else f"The checkpoint of step {kept} is kept"
        raise DivergedError(f"{error}. {good}") from None


def _download_notes(console: Console) -> Callable[[str, int, int], None]:
    """Says once of each file that it is being fetched."""
    told = set()

    def tell(name: str, done: int, total: int) -> None:
        if name not in told:
            told.add(name)
            console.print(f"[dim]downloading {name} ({total / 1e6:.1f} MB)")

    return tell


def _show_compiling(progress: ProgressBar) -> Callable[[], None]:
    """Says beside the progress bar what is being compiled; the first run of a kernel takes a moment."""
    told = False

    def tell(event: Any) -> None:
        nonlocal told
        if not told and event.total_seconds > 1:
            told = True
            progress.console.print(f"[dim]{escape(jit.compile_notice())}", soft_wrap=True)
        if event.seconds is None:
            progress.note(f"compiling {_plain(event.kernel)}")

    return jit.on_compile(tell)


def _plain(kernel: str) -> str:
    """What a kernel computes, from its name: no underscores of Python's, no digests, no word on its threads.

    >>> _plain("pointwise.relu_grad_pairs_fc7041423791_serial")
    'pointwise relu grad pairs'
    """
    return re.sub(r"_[0-9a-f]{12}|_(serial|parallel)$|[._]+", lambda m: " " if set(m[0]) <= set("._") else "", kernel)


def _pictures(job: Job) -> list[str]:
    """Draws the learning curves and the backward graph; says what is missing where one cannot be drawn."""
    made = []
    try:
        save_curves(job.trainer.history, job.folder / "curves.png", f"{job.settings.model} on {job.settings.data}")
        made.append("curves.png")
    except MissingDependencyError as error:
        err.print(f"[yellow]no curves.png:[/] {escape(str(error))}", soft_wrap=True)
    _draw(job.model, job.sample_loss(), job.folder / "backward.svg", job.settings.model)
    return [*made, "backward.svg"]


def _draw(model: Any, loss: Any, path: Path, name: str) -> None:
    viz = importlib.import_module("viz")  # not above: only these two commands need it
    model.zero_grad()
    with viz.record(model) as recorder:
        loss.backward()
    viz.backward_graph(recorder, model=model, title=f"{name}: backward graph of the loss").save(path)


@app.command()
def graph(
    model: Model,
    path: Annotated[Path, typer.Option("-o", "--output", help="The picture: .svg, .dot, .png, .pdf.")] = Path(
        "backward.svg"
    ),
    data: ShapesOf = DataName.digits,
    batch_size: Annotated[int, typer.Option(min=1, help="Samples in the batch.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="For weights and noise.")] = 0,
) -> None:
    """Draw the backward graph of MODEL's loss, untrained, with the gradients of one batch of noise.

    Example: autograd-cnn graph lenet5 -o lenet5.svg
    """
    random.manual_seed(seed)
    net, x, target = _example(model.value, data.value, batch_size)
    _draw(net, net.criterion()(net(x), target), path, model.value)
    out.print(f"wrote {path}", markup=False, soft_wrap=True)


@app.command()
def summary(
    model: Model,
    data: ShapesOf = DataName.digits,
    batch_size: Annotated[int, typer.Option(min=1, help="Samples in the batch.")] = 1,
) -> None:
    """Print MODEL's layers with output shapes, parameters and FLOPs.

    Example: autograd-cnn summary lenet5
    """
    net, x, _ = _example(model.value, data.value, batch_size)
    out.print(net.summary(x).table())


def _example(model: str, data_name: str, batch_size: int) -> tuple[Any, Any, Any]:
    """A model with a batch of noise and targets of the shapes of a data set."""
    net, shape = build_model(model, data_name)
    noise = random.default_generator.numpy
    x = from_numpy(noise.random((batch_size, *shape), "float32"))
    return net, x, from_numpy(noise.integers(0, SOURCES[data_name].classes, batch_size))


@app.command()
def warmup(
    model: Annotated[ModelName | None, typer.Argument(help="Only this network's kernels.", show_default="all")] = None,
    processes: Annotated[int, typer.Option("-j", "--processes", min=1, help="Compile in so many processes.")] = 1,
) -> None:
    """Compile kernels ahead, so that the first run starts at once: those of MODEL's training, or all in float32.

    Example: autograd-cnn warmup lenet5 -j 2
    """
    from autograd_cnn.train.warmup import compile_kernels, fitting, kernels_of

    before = jit.cache_info()
    if before.folder is None:
        raise AutogradCnnError(f"warmup: there is no folder to keep kernels in ({before.why})")
    everything = model is None
    targets = fitting(list(models.MODELS) if model is None else [model.value])
    total = len(kernels_of(targets, everything))
    stop = jit.on_compile(lambda event: None)  # no notice: it is said here what is going on
    with out.status(f"compiling kernels: 0 of {total}") as status:
        for done, _ in enumerate(compile_kernels(targets, processes, everything), 1):
            status.update(f"compiling kernels: {done} of {total}")
    stop()
    after = jit.cache_info()
    new = after.entries - before.entries
    out.print(f"{after.entries} kernels ready, {new} new, in {after.folder}", markup=False, soft_wrap=True)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Report what this machine offers: Numba, vector width, threads, cache, CUDA, Graphviz, data.

    Example: autograd-cnn doctor
    """
    found = diagnosis.findings()
    if as_json:
        _print_json(found)
        return
    table = Table(show_header=False, box=None)
    for name, value in diagnosis.lines(found):
        table.add_row(f"[bold]{name}", value)
    out.print(table)


def _print_json(content: Mapping[str, Any]) -> None:
    out.print(json.dumps(content, indent=2), markup=False, soft_wrap=True)


cache_app = typer.Typer(help="The folder of compiled kernels.", no_args_is_help=True)
app.add_typer(cache_app, name="cache")


@cache_app.command()
def clear() -> None:
    """Delete all compiled kernels; they are compiled again when needed.

    Example: autograd-cnn cache clear
    """
    out.print(f"deleted {jit.clear_cache()} kernels")


@app.callback(invoke_without_command=True)
def _version(show: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if show:
        out.print(__version__)
        raise typer.Exit


def _show_warning(message: Warning | str, *place: Any, **more: Any) -> None:
    err.print("[yellow]warning:[/]", end=" ")
    err.print(str(message), markup=False, soft_wrap=True)


def main() -> None:
    """Entry point: errors of ours are one line on stderr and exit status 1."""
    warnings.showwarning = _show_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a path that the terminal cannot spell ends no run
    try:
        app()
    except (AutogradCnnError, OSError) as error:
        err.print("[bold red]error:[/]", end=" ")
        err.print(str(error), markup=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
