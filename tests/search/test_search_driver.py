"""A whole search against a formula: what is asked, how it goes on after an interruption, and who works on what."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from search_cases import Pool, Quiet, answer, asked, measure, opened, search, told

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import BadInputError, InternalError, MissingError, RejectedError
from edgecompile.core.project import DataSpec, Project
from edgecompile.search import answer as answering
from edgecompile.search import pareto
from edgecompile.search.driver import Search
from edgecompile.search.objectives import point
from edgecompile.search.recipes import key_of
from edgecompile.search.study import COMPLETE, DISCARDED, FAILED, RUNNING
from edgecompile.search.trial import Order, Place


def test_a_search_builds_as_many_trials_as_were_asked_and_no_recipe_twice(tmp_path: Path) -> None:
    question = asked(most=20)
    pool = Pool()

    trials = search(opened(tmp_path, question), question, pool)

    assert sum(one.state == COMPLETE for one in trials) == 20 == len(pool.orders)
    assert len({key_of(one.recipe) for one in trials}) == len(trials)


def test_a_search_finds_what_dominates_its_own_starting_points(tmp_path: Path) -> None:
    question = asked(most=40)

    trials = search(opened(tmp_path, question), question, Pool())

    ours = ("start: one-shot", "start: trained")
    starts = [one for one in trials if one.origin.startswith("start") and not one.origin.startswith(ours)]
    front = [point(one.figures, question.names) for one in answering.candidates(trials, question) if one.figures]
    better = [any(pareto.dominates(one, point(start.figures, question.names)) for one in front)
              for start in starts if start.figures]  # fmt: skip
    assert len(better) > 6
    # By the formula more epochs than `tiny` has are not granted.
    assert sum(better) >= len(better) - 1


@pytest.mark.parametrize("broken_after", [1, 7, 13])
def test_an_interrupted_search_ends_as_one_that_was_not(tmp_path: Path, broken_after: int) -> None:
    question = asked(most=18)
    whole = search(opened(tmp_path / "whole", question), question, Pool())

    with pytest.raises(KeyboardInterrupt):
        search(opened(tmp_path / "broken", question), question, Pool(break_at=broken_after))
    left = opened(tmp_path / "broken", question).trials()
    rest = Pool()
    again = search(opened(tmp_path / "broken", question), question, rest)

    assert [one.state for one in left if not one.is_done] == [RUNNING]
    assert told(again) == told(whole)
    assert len(rest.orders) == 18 - broken_after


@pytest.mark.parametrize(
    ("most", "built"),
    [pytest.param(1, 2, id="fewer"), pytest.param(2, 2, id="as-many-as-are-done"), pytest.param(3, 3, id="one-more")],
)
def test_a_study_that_holds_more_trials_than_are_asked_for_is_not_worked_on(
    tmp_path: Path, most: int, built: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        search(opened(tmp_path, asked(most=8)), asked(most=8), Pool(break_at=2), workers=1)
    question, pool = asked(most=most), Pool()

    trials = search(opened(tmp_path, question), question, pool)

    assert [one.state for one in trials] == [COMPLETE] * built + [RUNNING] * (3 - built)
    assert len(pool.orders) == built - 2


def test_a_trial_that_another_process_works_on_counts_and_is_waited_for(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        search(opened(tmp_path, asked(most=8)), asked(most=8), Pool(break_at=2))
    theirs, question, pool = opened(tmp_path, asked()), asked(most=3), Pool()
    assert theirs.take(2)
    study = opened(tmp_path, question)

    ended = Timer(1.0, lambda: theirs.end(2, FAILED, {"reason": "theirs"}))
    ended.start()
    trials = search(study, question, pool)
    ended.join()

    assert [one.state for one in trials] == [COMPLETE, COMPLETE, FAILED]
    assert pool.orders == []


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_the_front_does_not_depend_on_how_many_work_at_once(tmp_path: Path, workers: int) -> None:
    question = asked(most=16)

    alone = search(opened(tmp_path / "1", question), question, Pool())
    together = search(opened(tmp_path / "n", question), question, Pool(), workers=workers)

    assert told(together) == told(alone)


def test_another_seed_is_another_search(tmp_path: Path) -> None:
    first, second = asked(most=18, seed=0), asked(most=18, seed=1)

    one = search(opened(tmp_path / "0", first), first, Pool())
    other = search(opened(tmp_path / "1", second), second, Pool())

    assert told(one) != told(other)


def test_a_trial_that_somebody_works_on_is_left_to_them(tmp_path: Path) -> None:
    question = asked(most=6)
    mine = opened(tmp_path, question)
    search(mine, question, Pool())
    with mine.asking():
        number = mine.begin(replace(mine.trials()[1], number=6, state=RUNNING))
    others = opened(tmp_path, question)

    taken = others.take(number)
    mine.release(number)

    assert not taken
    assert others.take(number)


def test_short_training_comes_first_and_full_for_who_is_worth_it(tmp_path: Path) -> None:
    question = asked(most=40, epochs=8)

    trials = search(opened(tmp_path, question), question, Pool())

    promoted = [one for one in trials if one.promoted is not None]
    assert promoted
    for one in promoted:
        assert not trials[one.promoted or 0].full
        assert one.genome == trials[one.promoted or 0].genome
    shorts = [one for one in trials if not one.full]
    assert len(promoted) < len(shorts)


def test_a_failed_build_does_not_end_the_search(tmp_path: Path) -> None:
    def sometimes(order: Order) -> dict[str, object]:
        if any(step.name == "low_rank" for step in order.project.recipe.steps):
            told = Diagnostic(code="EC333", message="no layer pays").to_dict()
            return {"status": "rejected", "exit_code": 1, "measures": [], "details": {}, "diagnostics": [told]}
        return answer(order)

    question = asked(most=30)
    trials = search(opened(tmp_path, question), question, Pool(sometimes))

    failed = [one for one in trials if one.state == FAILED]
    assert failed and all(one.reason == "EC333: no layer pays" for one in failed)


def test_a_worker_that_is_lost_gives_its_trial_back(tmp_path: Path) -> None:
    lost: list[Order] = []

    def once(order: Order) -> dict[str, object]:
        if len(lost) < 2 and order.project.output.name == "0002":
            lost.append(order)
            raise RuntimeError("the worker is gone")
        return answer(order)

    question = asked(most=4)
    trials = search(opened(tmp_path, question), question, Pool(once))

    assert len(lost) == 2
    assert [one.state for one in trials] == [COMPLETE] * 4


def test_a_worker_that_is_lost_again_and_again_fails_its_trial(tmp_path: Path) -> None:
    def never(order: Order) -> dict[str, object]:
        if order.project.output.name == "0002":
            raise RuntimeError("the worker is gone")
        return answer(order)

    question = asked(most=4)
    trials = search(opened(tmp_path, question), question, Pool(never))

    assert [one.state for one in trials].count(FAILED) == 1
    assert "the worker is gone" in trials[2].reason


def test_without_labels_there_is_nothing_to_judge_by(tmp_path: Path) -> None:
    unscored = Diagnostic(code="EC717", message="cannot be checked", notes=("limit: 1", "no labels")).to_dict()
    question = asked(most=4)

    with pytest.raises(BadInputError, match="EC852"):
        search(opened(tmp_path, question), question, Pool(lambda order: {
            "status": "failed", "exit_code": 2, "measures": [], "details": {}, "diagnostics": [unscored]
        }))  # fmt: skip


def test_operators_that_the_target_does_not_run_end_the_search_at_once(tmp_path: Path) -> None:
    refused = Diagnostic(code="EC502", message="no such operator").to_dict()
    question = asked(most=9)
    pool = Pool(lambda order: {
        "status": "rejected", "exit_code": 1, "measures": [], "details": {}, "diagnostics": [refused]
    })  # fmt: skip

    with pytest.raises(RejectedError, match="EC502"):
        search(opened(tmp_path, question), question, pool)

    assert len(pool.orders) == 1


def broken(order: Order) -> dict[str, object]:
    fault = Diagnostic(code="EC900", message="edgecompile broke", notes=("KeyError: 1",)).to_dict()
    return {"status": "failed", "exit_code": 70, "measures": [], "details": {}, "diagnostics": [fault]}


@pytest.mark.parametrize(
    ("code", "exit_code", "error"),
    [
        pytest.param("EC900", 70, InternalError, id="a fault of ours"),
        pytest.param("EC190", 3, MissingError, id="a library that is missing"),
    ],
)
def test_a_first_build_that_fails_whatever_the_recipe_ends_the_search(
    tmp_path: Path, code: str, exit_code: int, error: type[Exception]
) -> None:
    said = Diagnostic(code=code, message="no way").to_dict()
    pool = Pool(lambda order: {
        "status": "failed", "exit_code": exit_code, "measures": [], "details": {}, "diagnostics": [said]
    })  # fmt: skip
    question = asked(most=9)

    with pytest.raises(error, match=code):
        search(opened(tmp_path, question), question, pool)

    assert len(pool.orders) == 1
    # Nothing of it stands in the study: where it was mended, the same command begins anew.
    assert [one.state for one in opened(tmp_path, question).trials()] == [RUNNING]


def test_a_search_stops_where_one_trial_after_the_other_is_a_fault_of_ours(tmp_path: Path) -> None:
    pool = Pool(lambda order: answer(order) if order.project.output.name < "0002" else broken(order))
    question = asked(most=30)

    with pytest.raises(InternalError, match="EC900"):
        search(opened(tmp_path, question), question, pool)

    assert len(pool.orders) == 6


def test_a_search_stops_where_every_recipe_is_refused_for_the_same_reason(tmp_path: Path) -> None:
    refused = Diagnostic(code="EC400", message="the converter died").to_dict()
    pool = Pool(lambda order: {
        "status": "rejected", "exit_code": 1, "measures": [], "details": {}, "diagnostics": [refused]
    })  # fmt: skip
    question = asked(most=30)

    with pytest.raises(RejectedError, match="EC400"):
        search(opened(tmp_path, question), question, pool)

    assert len(pool.orders) == 4


def test_a_trial_whose_output_finds_no_room_is_begun_again_and_not_failed(tmp_path: Path) -> None:
    full = Diagnostic(code="EC631", message="there is no room left", help=("name another with `--output`",)).to_dict()
    pool = Pool(lambda order: answer(order) if order.project.output.name < "0003" else {
        "status": "failed", "exit_code": 2, "measures": [], "details": {}, "diagnostics": [full]
    })  # fmt: skip
    question = asked(most=6)

    with pytest.raises(BadInputError, match="EC631") as raised:
        search(opened(tmp_path, question), question, pool)
    assert raised.value.diagnostics[0].help == ("name another with `--study`",)
    trials = search(opened(tmp_path, question), question, Pool())

    assert [one.state for one in trials] == [COMPLETE] * 6


def test_a_single_fault_of_ours_is_a_failed_trial(tmp_path: Path) -> None:
    pool = Pool(lambda order: broken(order) if order.project.output.name == "0003" else answer(order))
    question = asked(most=8)

    trials = search(opened(tmp_path, question), question, pool)

    assert [one.state for one in trials].count(FAILED) == 1
    assert len(trials) >= 8


def test_what_cannot_fit_is_discarded_without_a_build(tmp_path: Path) -> None:
    def tight(order: Order) -> dict[str, object]:
        found = answer(order)
        rows = [one for one in found["measures"] if one["name"] != "ram_bytes"]
        return {**found, "measures": [*rows, measure("ram_bytes", 9000, "bytes")]}

    question = asked(most=24, ram_bytes=5000)
    pool = Pool(tight)
    trials = search(opened(tmp_path, question), question, pool)

    discarded = [one for one in trials if one.state == DISCARDED]
    assert discarded and all("RAM" in one.reason and "5 000 are granted" in one.reason for one in discarded)
    assert len(pool.orders) + len(discarded) == len(trials)
    assert all(one.genome["shape"] == "whole" or one.genome["kept"] > 0.7 for one in discarded)


def test_what_runs_at_the_deadline_is_begun_again_by_the_same_command(tmp_path: Path) -> None:
    question = asked(most=4)
    hung: list[Future[Any]] = []

    class Slow(Pool):
        """The third order is never answered."""

        def submit(self, fn: Any, /, *args: Any) -> Future[Any]:
            if len(self.orders) < 2:
                return super().submit(fn, *args)
            hung.append(Future())
            return hung[-1]

    begun = time.monotonic()
    quick = Slow(lambda order: {**answer(order), "duration_s": 0.01})
    first = search(opened(tmp_path, question), question, quick, seconds=1.5)
    took = time.monotonic() - begun
    again = search(opened(tmp_path, question), question, Pool())

    assert [one.state for one in first] == [COMPLETE, COMPLETE, RUNNING]
    assert took < 4 and hung[0].cancelled()
    assert [one.state for one in again] == [COMPLETE] * 4


def test_no_trial_is_begun_that_would_not_be_through(tmp_path: Path) -> None:
    question = asked(most=9)
    pool = Pool(lambda order: {**answer(order), "duration_s": 60.0})

    trials = search(opened(tmp_path, question), question, pool, seconds=30)

    assert len(trials) == 1


FULL_DISK = """
import resource, sys
sys.path[:0] = sys.argv[1:2]
from pathlib import Path
from search_cases import Pool, asked, opened, search
from edgecompile.core.errors import EdgecompileError
from edgecompile.emit.output_errors import told
place, question = Path(sys.argv[2]), asked(most=5)
study = opened(place, question)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
try:
    with told(place):
        search(study, question, Pool())
except EdgecompileError as error:
    print(error.diagnostics[0].code)
"""


def test_a_full_disk_is_told_and_the_study_goes_on_when_there_is_room(tmp_path: Path) -> None:
    words = [sys.executable, "-c", FULL_DISK, str(Path(__file__).parent), str(tmp_path)]
    question = asked(most=5)

    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    study = opened(tmp_path, question)
    trials = search(study, question, Pool())

    assert done.stdout.split() == ["EC631"], done.stderr
    assert [one.code for one in study.said] == ["EC860"]
    assert told(trials) == told(search(opened(tmp_path / "whole", question), question, Pool()))


def test_where_a_search_begins_waits_for_nobody(tmp_path: Path) -> None:
    question = asked(most=9)
    together: list[int] = []
    waiting: list[tuple[Future[Any], Order]] = []

    class Watched(Pool):
        """Notes how many trials run when an order is given; answers when three have been given."""

        def submit(self, fn: Any, /, *args: Any) -> Future[Any]:
            waiting.append((Future(), args[0]))
            future = waiting[-1][0]
            together.append(len(waiting))
            if len(waiting) == 3 or len(together) > 6:
                for one, order in waiting:
                    one.set_result(answer(order))
                waiting.clear()
            return future

    trials = search(opened(tmp_path, question), question, Watched(), workers=3)

    assert together[:6] == [1, 2, 3, 1, 2, 3]
    assert [one.state for one in trials] == [COMPLETE] * 9


def test_trials_have_the_threads_of_their_place(tmp_path: Path) -> None:
    question, pool = asked(most=1), Pool()
    study = opened(tmp_path, question)
    project = Project(
        model="m.keras", base=tmp_path, targets=("cortex-m4",), output=tmp_path, data=DataSpec(source="d")
    )

    Search(
        study=study, asked=question, project=project, place=Place(cache=None, threads=1), pool=pool, workers=1,
        listener=Quiet(),
    ).run()  # fmt: skip

    assert [order.project.threads for order in pool.orders] == [1]


@pytest.mark.parametrize(
    ("samples", "is_short"),
    [
        # 3 x 1e6 products x 4 epochs: 1.2e11 for ten thousand samples, 1.2e12 for a hundred thousand.
        pytest.param(10_000, False, id="a minute of training"),
        pytest.param(100_000, True, id="an hour of training"),
        pytest.param(0, True, id="nobody knows"),
    ],
)
def test_short_training_is_for_recipes_that_train_long(tmp_path: Path, samples: int, is_short: bool) -> None:
    def counted(order: Order) -> dict[str, Any]:
        found = answer(order)
        data = {"splits": {"train": {"samples": samples}}}
        rows = [*found["measures"], measure("macs", 1_000_000, "count")]
        return {**found, "measures": rows, "details": {**found["details"], "data": data}}

    question = asked(most=40)

    trials = search(opened(tmp_path, question), question, Pool(counted))

    assert any(not one.full for one in trials) is is_short
