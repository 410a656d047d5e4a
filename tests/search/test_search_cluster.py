"""A Dask cluster of two processes on this machine: the same orders, and a worker that is killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from search_cases import Pool, asked, opened, search, told

from edgecompile.core.project import Project
from edgecompile.search.executors import Cluster
from edgecompile.search.trial import Order, Place, work

distributed = pytest.importorskip("distributed", reason="distributed is not installed")


@pytest.fixture
def cluster() -> Iterator[Any]:
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as made:
        yield made


def slow_formula(order: Order) -> dict[str, Any]:
    """Answered on a worker, which finds the formula in the tests' folder."""
    import sys

    sys.path.insert(0, str(Path(order.project.base) / "tests"))
    from search_cases import answer

    time.sleep(0.4)
    return answer(order)


def test_trials_go_on_when_a_worker_is_killed(cluster: Any, tmp_path: Path) -> None:
    (tmp_path / "tests").symlink_to(Path(__file__).parent)
    question = asked(most=8)
    pool = Cluster(cluster.scheduler_address)
    killed: list[int] = []

    class Killing:
        """The cluster, a worker of which is killed when the fourth order is given."""

        def submit(self, fn: Any, /, *args: Any) -> Any:
            future = pool.submit(slow_formula, *args)
            if args[0].project.output.name == "0003":
                killed.append(next(iter(cluster.workers.values())).pid)
                os.kill(killed[0], signal.SIGKILL)
            return future

        def cut(self) -> None:
            """Nothing."""

    assert pool.workers == 2
    trials = search(opened(tmp_path, question), question, Killing(), workers=2)
    pool.stop()

    alone = search(opened(tmp_path / "alone", question), question, Pool())
    assert killed
    assert told(trials) == told(alone)


def test_the_order_of_a_trial_crosses_to_a_worker_and_back(cluster: Any) -> None:
    pool = Cluster(cluster.scheduler_address)
    project = Project(model="none.keras", base=Path("/"), targets=("cortex-m4",), output=Path("/nowhere"))

    answer = pool.submit(work, Order(project=project, target=asked().target, place=Place(cache=None))).result(60)
    pool.stop()

    assert answer["exit_code"] == 2
