"""The worker processes of a loader, seen from its own process: asked in turn, watched, and never left behind."""

from __future__ import annotations

import atexit
import multiprocessing
import multiprocessing.util  # its exit handler has to be registered before ours, which then runs first
import os
import signal
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from multiprocessing import connection as connections
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from autograd_cnn.data.transfer import packed, receive, send, unpacked
from autograd_cnn.data.worker import BATCH, EXHAUSTED, FAILED, READY, Maker, Task, named, work
from autograd_cnn.errors import ArgumentError, WorkerError

_LOOK_SECONDS = 0.5  # how often the health of workers that say nothing is looked at
_STOPPED_SECONDS = 2.0  # a worker that is stopped (SIGSTOP) for as long does not go on by itself
_GRACE_SECONDS = 1.0  # what a worker has to finish a sample that nobody wants any more

_GONE = (None, None, None)
_IMPORTED = "what workers are given is of classes and functions that they can import: from files, not from a notebook"
_GUARD = 'a script that starts workers must have its main part under `if __name__ == "__main__":`'


def worker_context(given: Any) -> Any:
    """The way that worker processes are started: by "forkserver" where there is one, else "spawn"; never by fork.

    The threads of kernels do not survive a fork, and the child would wait for them for ever.
    """
    methods = multiprocessing.get_all_start_methods()
    if given is None:
        given = "forkserver" if "forkserver" in methods else "spawn"
    if isinstance(given, str):
        if given not in methods:
            raise ArgumentError(f"DataLoader: multiprocessing_context is {given!r}; here there is {', '.join(methods)}")
        given = multiprocessing.get_context(given)
    if given.get_start_method() == "fork":
        raise ArgumentError(
            "DataLoader: multiprocessing_context is 'fork', after which kernels cannot run in a worker; "
            "take 'forkserver' or 'spawn'"
        )
    return given


def _started(context: Any) -> Any:
    """The way to start workers from here: what it needs runs."""
    if multiprocessing.current_process().daemon:
        raise WorkerError(
            "DataLoader: this is a daemonic process, such as a worker of a loader or of multiprocessing.Pool, "
            "which may not start others; take num_workers=0 here"
        )
    if context.get_start_method() != "forkserver":
        return context
    context.set_forkserver_preload(["autograd_cnn.data"])  # heard only before the server has started
    from multiprocessing import forkserver  # not on every system

    try:
        forkserver.ensure_running()
    except ChildProcessError:  # we are a fork of the process whose child the server is
        return multiprocessing.get_context("spawn")
    return context


class Crew:
    """Worker processes with a pipe each; threads send and receive, so that nobody waits for a worker that hangs.

    prefetch: how many batches each worker may be ahead.
    timeout: the seconds after which a batch that does not come is an error; 0 waits for ever.
    """

    def __init__(
        self, maker: Maker, count: int, context: Any, init: Callable[[int], Any] | None, timeout: float, prefetch: int
    ) -> None:
        try:
            orders = packed((maker, init))
        except Exception as error:
            raise ArgumentError(
                f"DataLoader: the data set, collate_fn or worker_init_fn cannot be sent to worker processes: {error}; "
                "functions and classes must be at the top of a module, else take num_workers=0"
            ) from error
        self.count = count
        self._timeout = timeout
        self._prefetch = prefetch
        self._turn = 0  # the iteration that is served; an older one has been overtaken
        self._inbox: SimpleQueue[tuple[int, Any]] = SimpleQueue()
        self._outboxes: list[SimpleQueue[Any]] = []
        self._processes: list[Any] = []
        self._asked: list[deque[Task]] = [deque() for _ in range(count)]  # what each has not answered yet
        self._began = [False] * count
        self._stopped_since: dict[int, float] = {}
        pipes: list[Any] = []
        threads: list[threading.Thread] = []
        self.end = weakref.finalize(self, _end, os.getpid(), self._processes, self._outboxes, pipes, threads)
        _living.add(self)
        try:
            context = _started(context)
            for id in range(count):
                self._start(id, context, pipes, threads)
            threads.append(_thread(_receive_all, pipes, self._inbox))
        except BaseException:
            self.end()
            raise
        for outbox in self._outboxes:
            outbox.put(orders)

    def _start(self, id: int, context: Any, pipes: list[Any], threads: list[threading.Thread]) -> None:
        ours, theirs = context.Pipe()
        pipes.append(ours)
        try:
            # Daemonic, so that multiprocessing's own exit handler does not wait for one.
            process = context.Process(target=work, args=(theirs, id, self.count), name=f"DataLoader-{id}", daemon=True)
            process.start()
            self._processes.append(process)
        finally:
            theirs.close()
        outbox: SimpleQueue[Any] = SimpleQueue()
        self._outboxes.append(outbox)
        threads.append(_thread(_send_all, ours, outbox))

    def run(self, epoch: int, tasks: Iterator[tuple[int, Any]], in_order: bool) -> Iterator[Any]:
        """The batches of an epoch's tasks, (number, indices), which go to the workers one after the other.

        in_order: batches come in the order of the tasks, else as they are ready.  A worker whose stream is exhausted
        is not asked again.
        """
        self._turn += 1
        turn = self._turn
        active = list(range(self.count))
        waiting: deque[int] = deque()  # the numbers asked for, oldest first
        came: dict[int, tuple[int, Any]] = {}
        at = 0

        def ask() -> None:
            nonlocal at
            if active and (task := next(tasks, None)) is not None:
                worker = active[at % len(active)]
                at += 1
                waiting.append(task[0])
                self._asked[worker].append(Task(turn, epoch, *task))
                self._outboxes[worker].put(packed(self._asked[worker][-1]))

        for _ in range(self._prefetch * self.count):
            ask()
        while waiting:
            while not came or (in_order and waiting[0] not in came):
                worker, number, kind, batch = self._answer(turn)
                came[number] = kind, batch
                if kind == EXHAUSTED and worker in active:
                    place = active.index(worker)
                    at = at % len(active) - (place < at % len(active))
                    active.remove(worker)
            number = waiting[0] if in_order else next(iter(came))
            waiting.remove(number)
            kind, batch = came.pop(number)
            ask()
            if kind == BATCH:
                yield batch
                if turn != self._turn:
                    raise WorkerError("DataLoader: a newer iteration has taken over the persistent workers")

    def _answer(self, turn: int) -> tuple[int, int, int, Any]:
        """The next thing that a worker says for this turn: worker, number of the batch, kind, batch."""
        patience = time.monotonic() + (self._timeout or float("inf"))
        while True:
            try:
                worker, (kind, task, content) = self._inbox.get(timeout=min(_LOOK_SECONDS, self._timeout or 1))
            except Empty:
                self._look()
                if time.monotonic() > patience:
                    doing = ", ".join(self._described(worker) for worker in range(self.count) if self._asked[worker])
                    raise WorkerError(f"DataLoader: no batch came within {self._timeout} seconds: {doing}") from None
                continue
            if kind == READY:
                self._began[worker] = True
                patience = time.monotonic() + (self._timeout or float("inf"))  # its first batch has its own time
            elif kind is None:
                raise self._lost(worker)
            elif task is None:
                raise self._failed(worker, "starting", content)
            else:
                asked = self._asked[worker].popleft()
                if task.turn == turn:  # else of an iteration that was broken off
                    if kind == FAILED:
                        raise self._failed(worker, f"making the batch of {named(asked.indices)}", content)
                    return worker, task.number, kind, content

    def _look(self) -> None:
        """Looks for workers that will never answer."""
        now = time.monotonic()
        for worker, process in enumerate(self._processes):
            if not process.is_alive() and self._inbox.empty():
                raise self._lost(worker)
            if not _is_stopped(process.pid):
                self._stopped_since.pop(worker, None)
            elif now - self._stopped_since.setdefault(worker, now) > _STOPPED_SECONDS and self._asked[worker]:
                raise WorkerError(f"DataLoader: stopped by a signal: {self._described(worker)}")

    def _described(self, worker: int) -> str:
        tasks = self._asked[worker]
        doing = f", making the batch of {named(tasks[0].indices)}" if self._began[worker] and tasks else ", starting"
        return f"worker {worker} (pid {self._processes[worker].pid}){doing}"

    def _lost(self, worker: int) -> WorkerError:
        process = self._processes[worker]
        process.join(_GRACE_SECONDS)
        code = process.exitcode
        how = f"exit status {code}" if code is None or code >= 0 else signal.Signals(-code).name
        hint = "" if self._began[worker] else f"; see what it printed; {_GUARD}"
        return WorkerError(f"DataLoader: ended by {how}: {self._described(worker)}{hint}")

    def _failed(self, worker: int, doing: str, content: tuple[type, str]) -> Exception:
        kind, report = content
        hint = "" if self._began[worker] else f"\n{_IMPORTED}"
        text = _Text(
            f"DataLoader: worker {worker} (pid {self._processes[worker].pid}) failed while {doing}:\n\n{report}{hint}"
        )
        for base in kind.__mro__:
            if not issubclass(base, Exception) or base is Exception:
                break
            with suppress(Exception):  # it takes other arguments
                error = base(text)
                if report in str(error):
                    return error
        return WorkerError(text)


class _Text(str):
    """Shown as it is by KeyError, too, which shows the repr of its message."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _thread(target: Callable[..., None], *args: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, name="DataLoader", daemon=True)
    thread.start()
    return thread


def _send_all(pipe: Any, outbox: SimpleQueue[Any]) -> None:
    """Sends a worker what there is for it; a thread's work, since one that hangs takes nothing in."""
    with suppress(OSError):  # it is gone, which the receiver notices
        while (parts := outbox.get()) is not None:
            send(pipe, parts)


def _receive_all(pipes: list[Any], inbox: SimpleQueue[tuple[int, Any]]) -> None:
    """Takes in what workers send until all of them are gone."""
    open_pipes = {pipe: worker for worker, pipe in enumerate(pipes)}
    while open_pipes:
        for pipe in connections.wait(list(open_pipes)):
            try:
                parts = receive(pipe)  # type: ignore[arg-type]
            except (EOFError, OSError):
                inbox.put((open_pipes.pop(pipe), _GONE))
                continue
            try:
                message = unpacked(parts)
            except Exception as error:  # what can be sent, but not be made again here
                message = (FAILED, None, (WorkerError, f"its answer cannot be read: {error!r}"))
            inbox.put((open_pipes[pipe], message))


def _is_stopped(pid: int) -> bool:
    """Whether a process is stopped by a signal, where the system tells (Linux)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] == "T"


def _end(
    owner: int, processes: list[Any], outboxes: list[Any], pipes: list[Any], threads: list[threading.Thread]
) -> None:
    """Ends every worker, one way or the other; no process, pipe or thread stays."""
    if os.getpid() != owner:  # a fork of the loader's process: they are not its children
        return
    for outbox in outboxes:
        outbox.put(packed(None))
        outbox.put(None)
    try:
        deadline = time.monotonic() + _GRACE_SECONDS
        for process in processes:
            process.join(max(0.0, deadline - time.monotonic()))
    finally:  # also after a second Ctrl-C
        for process in processes:
            if process.is_alive():
                process.kill()
        for process in processes:
            process.join()
            process.close()
        for thread in threads:
            thread.join(_GRACE_SECONDS)
        if not any(thread.is_alive() for thread in threads):
            for pipe in pipes:
                with suppress(OSError):
                    pipe.close()


_living: weakref.WeakSet[Crew] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    for crew in list(_living):
        crew.end()
