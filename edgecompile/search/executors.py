"""Where trials run: processes of this machine, or a Dask cluster; both are ``concurrent.futures`` executors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

from edgecompile.libs import child, dask
from edgecompile.search.trial import Order

# What the libraries of a build read to learn how many threads they may start.
_THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)


def pins(threads: int) -> dict[str, str]:
    """The environment of a worker that may use that many threads; 0: as many as there are processors."""
    return dict.fromkeys(_THREADS, str(threads)) if threads else {}


class Lanes(Executor):
    """Each submitted order is worked on in a process of its own, ``workers`` at once.

    A process that dies takes no other one with it. :meth:`stop` ends them all.
    """

    def __init__(self, workers: int) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="trial")
        self._sessions: set[child.Session] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn(order, session)`` as soon as a lane is free."""
        return self._threads.submit(self._run, fn, *args)

    def cut(self) -> None:
        """End what runs; new orders may follow."""
        with self._lock:
            running = list(self._sessions)
        for session in running:
            session.kill()

    def stop(self) -> None:
        """End what runs, and begin nothing more."""
        self._stopped = True
        self.cut()
        self._threads.shutdown(wait=True, cancel_futures=True)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As executors do."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _run(self, fn: Callable[..., Any], order: Order) -> Any:
        with child.Session(environment=order.place.environment) as session:
            with self._lock:
                if self._stopped:
                    session.kill()
                self._sessions.add(session)
            try:
                return fn(order, session)
            finally:
                with self._lock:
                    self._sessions.discard(session)


class Cluster(Executor):
    """A Dask cluster behind the same interface. Raises what ``libs.dask.connect`` raises."""

    def __init__(self, address: str) -> None:
        self._link = dask.connect(address)
        self.workers = self._link.workers

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn(order)`` on a worker of the cluster; it is begun again on another where that one is lost."""
        found: Future[Any] = self._link.executor.submit(fn, *args)
        return found

    def cut(self) -> None:
        """What runs there goes on to its end, unheard; what was cancelled does not begin."""

    def stop(self) -> None:
        """Take back what has not begun, and leave the cluster as it was."""
        self._link.close()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As executors do."""
        self._link.executor.shutdown(wait=wait)
