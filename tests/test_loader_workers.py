"""Worker processes of the loader: the same batches, and whatever goes wrong ends the loop and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import data_for_workers as sets
import numpy as np
import pytest
from test_loader import as_bytes, augmented

import autograd_cnn as ag
from autograd_cnn.data import DataLoader, TensorDataset, transforms
from autograd_cnn.errors import ArgumentError, WorkerError
from autograd_cnn.random import manual_seed

TESTS = Path(__file__).parent


def workers() -> set[int]:
    """The processes that are loaders' workers and ours, by their command or their parent's."""
    found = set()
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes()
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            if MARK.encode() in environment and b"multiprocessing" in command:
                found.add(int(folder.name))
    return found


MARK = f"WORKERS_OF_TEST={os.getpid()}"
os.environ["WORKERS_OF_TEST"] = str(os.getpid())


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Beyond the fork server and the resource tracker, which multiprocessing keeps, no process stays."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc")
    list(DataLoader(TensorDataset(np.arange(1)), num_workers=1))  # the servers run
    before = workers()
    shared = set(os.listdir("/dev/shm"))
    yield
    deadline = time.monotonic() + 30
    while workers() - before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not workers() - before
    assert not set(os.listdir("/dev/shm")) - shared


# The same batches


@pytest.mark.parametrize("context", ["forkserver", "spawn"])
def test_any_number_of_workers_gives_the_same_batches(context: str) -> None:
    expected = None
    for count in (0, 1, 3):
        manual_seed(3)
        options = {"num_workers": count, "multiprocessing_context": context} if count else {}
        loader = DataLoader(augmented(), 3, True, **options)
        found = [as_bytes(loader) for _ in range(2)]
        expected = expected or found
        assert found == expected
    assert expected[0] != expected[1]


def test_random_numbers_and_kernels_in_a_data_set_are_the_same_everywhere() -> None:
    manual_seed(5)
    data = sets.Noisy()
    before = ag.get_rng_state()
    alone = as_bytes(DataLoader(data, 3, seed=1))
    assert ag.get_rng_state() == before, "what a data set draws is not taken from the default generator"
    assert as_bytes(DataLoader(data, 3, seed=1, num_workers=2)) == alone
    assert as_bytes(DataLoader(data, 3, seed=2, num_workers=2)) != alone
    data = sets.Noisy(generators=True)
    one, two = (as_bytes(DataLoader(data, 3, seed=1, num_workers=count)) for count in (1, 2))
    assert one == two
    assert len(set(one)) == len(one)


@pytest.mark.parametrize("persistent", [False, True])
def test_resumes_with_workers(persistent: bool) -> None:
    whole = DataLoader(augmented(), 3, True, seed=5)
    expected = [as_bytes(whole) for _ in range(3)]
    loader = DataLoader(augmented(), 3, True, seed=5, num_workers=2, persistent_workers=persistent)
    batches = iter(loader)
    for _ in range(3):
        next(batches)
    state = loader.state_dict()
    del batches
    other = DataLoader(augmented(), 3, True, num_workers=2, persistent_workers=persistent)
    other.load_state_dict(state)
    assert as_bytes(other) == expected[0][3:]
    assert [as_bytes(other) for _ in range(2)] == expected[1:]


def test_streams_are_shared_among_workers() -> None:
    assert [batch.tolist() for batch in DataLoader(sets.Stream(5), 2)] == [[0, 1], [2, 3], [4]]
    one = [batch.tolist() for batch in DataLoader(sets.Stream(5), 2, num_workers=1)]
    assert one == [[0, 1], [2, 3], [4]]
    loader = DataLoader(sets.Stream(11), 2, num_workers=3, persistent_workers=True)
    for _ in range(2):  # worker 0 has 0 3 6 9, worker 1 has 1 4 7 10, worker 2 has 2 5 8
        assert [b.tolist() for b in loader] == [[0, 3], [1, 4], [2, 5], [6, 9], [7, 10], [8]]
    loader.load_state_dict(loader.state_dict() | {"batch": 4})
    assert [b.tolist() for b in loader] == [[7, 10], [8]]
    dropped = DataLoader(sets.Stream(11), 2, num_workers=3, drop_last=True)
    assert [b.tolist() for b in dropped] == [[0, 3], [1, 4], [2, 5], [6, 9], [7, 10]]
    assert sorted(int(x) for x in DataLoader(sets.Stream(7), None, num_workers=2)) == list(range(7))
    uneven = DataLoader(sets.Stream(1), 1, num_workers=3)
    assert [b.tolist() for b in uneven] == [[0]]


def test_who_works() -> None:
    loader = DataLoader(sets.Who(), 2, num_workers=3, worker_init_fn=sets.leave_a_mark, persistent_workers=True, seed=1)
    rows = [np.stack([np.asarray(field) for field in batch], 1) for batch in loader]
    assert [row[0, 0] for row in rows] == [0, 1, 2, 0, 1, 2]
    assert {tuple(row[:, 1]) for row in rows} == {(3, 3)}
    assert all((row[:, 4] == 100 + row[:, 0]).all() for row in rows)
    assert len({row[0, 2] for row in rows}) == 3, "each has a seed of its own"
    again = [np.stack([np.asarray(field) for field in batch], 1) for batch in loader]
    assert np.array_equal(rows, again), "persistent workers stay"


def test_out_of_order_gives_every_batch_once() -> None:
    loader = DataLoader(TensorDataset(np.arange(40)), 3, num_workers=3, in_order=False)
    assert sorted(int(i) for (batch,) in loader for i in batch) == list(range(40))


def test_large_batches_and_empty_ones_arrive_whole() -> None:
    big = np.random.default_rng(0).random((6, 300_000))
    data = TensorDataset(big, np.empty((6, 0), np.float32))
    batches = list(DataLoader(data, 2, num_workers=2))
    assert np.array_equal(np.concatenate([x.numpy() for x, _ in batches]), big)
    assert [tuple(y.shape) for _, y in batches] == [(2, 0)] * 3
    batches[0][0].add_(1)  # memory of its own, that can be written to


def test_samplers_lists_and_single_samples() -> None:
    data = TensorDataset(np.arange(10))
    for count in (0, 2):
        single = DataLoader(data, None, sampler=[3, 1], num_workers=count)
        assert [int(x) for (x,) in single] == [3, 1]
        batched = DataLoader(data, batch_sampler=[[1, 2], [5]], num_workers=count, collate_fn=sets.as_list)
        assert [[int(x) for (x,) in batch] for batch in batched] == [[1, 2], [5]]


# What goes wrong


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [
        ("raise", ValueError, "sample 13 is bad"),
        ("key", KeyError, r"KeyError: 'missing'"),
        ("odd", WorkerError, r"OddError: \(1, 2\)"),
        ("system exit", WorkerError, "SystemExit"),
        ("kill", WorkerError, "ended by SIGKILL"),
        ("exit 0", WorkerError, "ended by exit status 0"),
        ("stop", WorkerError, "stopped by a signal"),
        ("loop", WorkerError, "no batch came within 6"),
        ("memory", MemoryError, "MemoryError"),
        ("unpicklable", Exception, "lambda"),
    ],
)
@pytest.mark.parametrize("persistent", [False, True])
def test_faults_end_the_loop(fault: str, kind: type[Exception], message: str, persistent: bool) -> None:
    timeout = 6 if fault == "loop" else 0
    loader = DataLoader(
        sets.Faulty(fault), 4, num_workers=2, timeout=timeout, persistent_workers=persistent, collate_fn=sets.as_list
    )
    seen = []
    with pytest.raises(kind, match=message) as caught:
        seen.extend(loader)
    assert seen == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]][: len(seen)]
    text = str(caught.value)
    assert "samples [12, 13, 14, 15]" in text
    assert "worker 1 (pid " in text
    if kind not in (WorkerError, Exception) or "Error: " in text:
        assert "data_for_workers.py" in text or fault == "unpicklable", "the worker's traceback"


def test_a_worker_that_does_not_start() -> None:
    with pytest.raises(RuntimeError, match=r"worker \d \(pid \d+\) failed while starting(.|\n)*no start"):
        list(DataLoader(TensorDataset(np.arange(4)), num_workers=2, worker_init_fn=sets.fail_to_start))


def test_what_cannot_be_sent_is_said_before_a_process_starts() -> None:
    flip = transforms.Lambda(lambda image: image)
    with pytest.raises(ArgumentError, match=r"cannot be sent to worker processes.*num_workers=0"):
        iter(DataLoader(sets.Noisy(), num_workers=1, collate_fn=flip)).__next__()


def test_breaking_off_ends_the_workers_and_persistent_ones_go_on() -> None:
    for _ in DataLoader(TensorDataset(np.arange(50)), num_workers=2):
        break
    loader = DataLoader(TensorDataset(np.arange(8)), 2, num_workers=2, persistent_workers=True, shuffle=True, seed=1)
    plain = DataLoader(TensorDataset(np.arange(8)), 2, shuffle=True, seed=1)
    for _ in loader:
        break
    for _ in plain:
        break
    assert as_bytes(loader) == as_bytes(plain)
    older = iter(loader)
    next(older)
    list(loader)
    with pytest.raises(WorkerError, match="newer iteration"):
        next(older)


SCRIPT = """
import os, sys, time
sys.path.insert(0, {tests!r})
import data_for_workers as sets
from autograd_cnn.data import DataLoader
if __name__ == "__main__":
    loader = DataLoader(sets.Who(), 2, num_workers=2, persistent_workers=True)
    batches = iter(loader)
    print(*sorted(set(next(batches)[3].tolist() + next(batches)[3].tolist())), flush=True)
    {end}
"""


@pytest.mark.parametrize(
    ("end", "sent"),
    [
        ("pass", None),
        ("raise RuntimeError", None),
        ("time.sleep(60)", signal.SIGINT),
        ("time.sleep(60)", signal.SIGKILL),
        ("time.sleep(60)", signal.SIGTERM),
        ("os._exit(3)", None),
    ],
)
def test_workers_end_with_their_loader(end: str, sent: Any, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(tests=str(TESTS), end=end))
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pids = [int(word) for word in run.stdout.readline().split()]
        assert len(pids) == 2
        if sent is not None:
            run.send_signal(sent)
        run.communicate(timeout=30)
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_unguarded_script_is_told_what_to_do(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from autograd_cnn.data import XOR, DataLoader\nfor batch in DataLoader(XOR(), num_workers=1):\n    pass\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=50)
    assert done.returncode == 1
    assert 'must have its main part under `if __name__ == "__main__":`' in done.stderr


def test_a_fork_of_the_loaders_process_leaves_its_workers_alone() -> None:
    loader = DataLoader(TensorDataset(np.arange(8)), 2, num_workers=2, persistent_workers=True)
    batches = iter(loader)
    next(batches)
    child = os.fork()
    if not child:
        loader._crew.end()  # type: ignore[union-attr]
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert len(list(batches)) == 3


FORKS = """
import os
import numpy as np
import autograd_cnn as ag
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from autograd_cnn.data import DataLoader, TensorDataset


def job(k: int) -> list:
    (ag.rand(300, 300) @ ag.rand(300, 300)).sum()
    return [batch.tolist() for (batch,) in DataLoader(TensorDataset(np.arange(5)), 2, num_workers=2)]


def daemonic(k: int) -> str:
    try:
        return str(job(k))
    except Exception as error:
        return str(error)


if __name__ == "__main__":
    (ag.rand(300, 300) @ ag.rand(300, 300)).sum()
    for _ in range(2):  # before the fork server runs, and after
        child = os.fork()
        if not child:
            os._exit(job(0) != [[0, 1], [2, 3], [4]])
        print(os.waitpid(child, 0)[1], job(0))
    with ProcessPoolExecutor(2, get_context("fork")) as pool:
        print(*pool.map(job, range(2)))
    with get_context("fork").Pool(1) as pool:
        print(pool.map(daemonic, [0]))
"""


def test_loaders_in_forks_of_a_process_that_has_run_kernels(tmp_path: Path) -> None:
    script = tmp_path / "forks.py"
    script.write_text(FORKS)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    batches = "[[0, 1], [2, 3], [4]]"
    lines = done.stdout.splitlines()
    assert lines[:3] == [f"0 {batches}", f"0 {batches}", f"{batches} {batches}"]
    assert "daemonic process" in lines[3]
    assert "num_workers=0" in lines[3]


def test_a_class_that_workers_cannot_import(tmp_path: Path) -> None:
    code = (
        "from autograd_cnn.data import DataLoader, Dataset\n"
        "class Squares(Dataset):\n"
        "    def __len__(self): return 3\n"
        "    def __getitem__(self, i): return i * i\n"
        "list(DataLoader(Squares(), num_workers=1))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert done.returncode == 1
    assert "from files, not from a notebook" in done.stderr
