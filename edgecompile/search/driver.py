"""The search itself: begins trials, takes over those of processes that died, and writes down what came of them."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Any, Protocol

from edgecompile.core.diagnostic import Severity, from_dict
from edgecompile.core.errors import EdgecompileError, bad_input, from_exit_code
from edgecompile.core.project import Accuracy, Budget, Project
from edgecompile.search import costs, objectives, pareto
from edgecompile.search.objectives import NO_LIMIT
from edgecompile.search.proposals import Asked, built, is_ready, propose
from edgecompile.search.study import COMPLETE, DISCARDED, FAILED, RUNNING, Study, Trial
from edgecompile.search.trial import ATTEMPTS, Order, Place, demand_written, work

# As many points as a table and a picture can tell apart; each is built once more.
FRONT = 12
_LOOK_AGAIN_S = 0.5
# Building the answer takes that much more than its trials did: more samples, points behind the front, the best one.
_MORE = 1.5
# So many discards one after the other: the budgets leave next to nothing.
_MOST_DISCARDED = 300
# How a build ends that went through, or that this recipe does not suit; others end so whatever the recipe.
_OF_THE_RECIPE = (0, 1)
# What goes wrong in the same way in so many trials on end is none of the recipes': a fault of ours, or of the inputs.
_FAULT, _MOST_ALIKE = "EC900", 4
_WITH_WEIGHTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
# A limit on a drop that cannot be checked; and the codes of operators that a target does not run.
_UNSCORED, _OPERATORS = "EC717", "EC5"


class Pool(Protocol):
    """A ``concurrent.futures.Executor`` that can be told to stop."""

    def submit(self, fn: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Begin work."""

    def cut(self) -> None:
        """End what runs; new orders may follow."""


class Listener(Protocol):
    """Who is told how a search goes."""

    def searching(self, trials: Sequence[Trial], running: Sequence[int], left_s: float | None) -> None:
        """How things stand; called whenever that changed, and every half second."""

    def ended(self, trial: Trial) -> None:
        """A trial of this process is done, or was discarded."""


@dataclass(kw_only=True)
class Search:
    """A search of one process. ``deadline``: on the monotonic clock, None: none. ``workers``: trials at once."""

    study: Study
    asked: Asked
    project: Project
    place: Place
    pool: Pool
    workers: int
    listener: Listener
    deadline: float | None = None
    running: dict[Future[Any], int] = field(default_factory=dict)
    attempts: dict[int, int] = field(default_factory=dict)
    exhausted: bool = False
    begun: float = field(default_factory=time.monotonic)
    kept_back_s: float = 0.0

    def run(self) -> list[Trial]:
        """Search until the trials, the time or the proposals are used up; all trials of the study.

        What still runs at the deadline is ended: it is begun again when the study is continued. Raises the errors of
        the first build where that cannot read its input; whatever is raised, trials are let go.
        """
        try:
            while True:
                trials = self._fill(self.study.trials())
                self._keep_back(trials)
                self.listener.searching(trials, sorted(self.running.values()), self._left())
                if self._is_over(trials):
                    return trials
                done, _ = wait(self.running, timeout=_LOOK_AGAIN_S, return_when=FIRST_COMPLETED)
                for future in done:
                    self._end(future)
                if not self.running and not done:
                    time.sleep(_LOOK_AGAIN_S)  # another process works on what the next proposal waits for
        finally:
            self._let_go()

    def _is_over(self, trials: Sequence[Trial]) -> bool:
        if self._left() == 0.0:
            return True
        if self.running or any(self._is_worked_on(one) for one in trials):
            return False
        return self.exhausted or self._is_full(trials)

    def _is_worked_on(self, trial: Trial) -> bool:
        """Whether some process holds the trial; the one that began it may have died."""
        if trial.state != RUNNING:
            return False
        if self.study.take(trial.number):
            self.study.release(trial.number)
            return False
        return True

    def _left(self) -> float | None:
        """Seconds that are left to search; what the answer will take is kept back."""
        return None if self.deadline is None else max(self.deadline - self.kept_back_s - time.monotonic(), 0.0)

    def _keep_back(self, trials: Sequence[Trial]) -> None:
        """The front is trained and built once more, on some more samples; half of the time at most."""
        scored = [one for one in trials if one.state == COMPLETE and one.figures]
        if self.deadline is not None and scored:
            points = [objectives.point(one.figures, self.asked.names) for one in scored if one.figures]
            front = [scored[index].duration_s for index in pareto.front(points)]
            wanted = sum(sorted(front)[-FRONT:]) * _MORE / self.workers
            self.kept_back_s = min(wanted, (self.deadline - self.begun) / 2)

    def _is_full(self, trials: Sequence[Trial]) -> bool:
        return self.asked.most is not None and built(trials) >= self.asked.most

    def _fill(self, trials: list[Trial]) -> list[Trial]:
        """Begin as many trials as there is room for, those that somebody left first."""
        while len(self.running) < self.workers and self._left() != 0.0:
            with self.study.asking():
                trials = self.study.trials()
                trial = self._left_behind(trials) or self._next(trials)
            if trial is None:
                return self.study.trials()
            if trial.state == DISCARDED:
                self.listener.ended(trial)
                continue
            self.running[self.pool.submit(work, self._order(trial))] = trial.number
        return self.study.trials()

    def _left_behind(self, trials: Sequence[Trial]) -> Trial | None:
        """A trial whose process died, now this one's; None too where as many as were asked for are done or under way.

        A study may hold more trials than this command asks for: what nobody works on then stays for one that asks for
        more.
        """
        if self.asked.most is not None:
            busy = sum(one.state != DISCARDED and (one.is_done or self._is_worked_on(one)) for one in trials)
            if busy >= self.asked.most:
                return None
        for trial in trials:
            if trial.state == RUNNING and self.study.take(trial.number):
                again = self.study.trials()[trial.number]  # it may have ended between the look and the lock
                if again.state == RUNNING:
                    return again
                self.study.release(trial.number)
        return None

    def _next(self, trials: Sequence[Trial]) -> Trial | None:
        """A new trial, written down; None where nothing can be begun now."""
        number = len(trials)
        if self._is_full(trials) or self.exhausted or not is_ready(self.asked, trials, number):
            return None
        if self._left() is not None and self._is_too_late(trials):
            return None
        proposed = propose(self.asked, trials, number)
        if proposed is None or _discarded_last(trials) >= _MOST_DISCARDED:
            self.exhausted = True
            return None
        reason = self._why_not(trials, proposed)
        if reason:
            proposed = dataclasses.replace(proposed, state=DISCARDED, reason=reason)
        return dataclasses.replace(proposed, number=self.study.begin(proposed))

    def _is_too_late(self, trials: Sequence[Trial]) -> bool:
        """Whether a trial as long as the usual one would be cut off."""
        times = sorted(one.duration_s for one in trials if one.duration_s)
        left = self._left()
        return bool(times) and left is not None and left < times[len(times) // 2]

    def _why_not(self, trials: Sequence[Trial], trial: Trial) -> str:
        first = trials[0] if trials else None
        if first is None or first.figures is None or trial.origin.startswith("start"):
            return ""
        folder = self.study.place(0) / self.asked.target.id
        return costs.baseline(first.genome, folder, first.figures, self.asked.target).why_not(
            trial.genome, self.asked.limits
        )

    def _order(self, trial: Trial) -> Order:
        project = searched(self.project, trial.recipe)
        output = self.study.place(trial.number)
        project = dataclasses.replace(project, output=output, threads=self.place.threads)
        return Order(project=project, target=self.asked.target, place=self.place)

    def _end(self, future: Future[Any]) -> None:
        number = self.running.pop(future)
        try:
            answer = future.result()
        except Exception as error:  # a worker of the cluster that was lost, more often than it begins anew by itself
            self.attempts[number] = self.attempts.get(number, 0) + 1
            if self.attempts[number] < ATTEMPTS:
                self.running[self.pool.submit(work, self._order(self.study.trials()[number]))] = number
                return
            answer = {"status": "failed", "exit_code": 3, "measures": [], "diagnostics": [], "lost": str(error)[:300]}
        demand_written(answer)
        if number == 0:
            _demand_a_start(answer)
        if answer["exit_code"]:
            _demand_some_sense(answer, self.study.trials())
        state, facts = concluded(answer)
        self.study.end(number, state, facts)
        self.listener.ended(self.study.trials()[number])

    def _let_go(self) -> None:
        if self.running:
            for future in self.running:
                future.cancel()
            self.pool.cut()
        self.running.clear()
        self.study.release_all()


def searched(project: Project, recipe: Any) -> Project:
    """The project as a trial builds it: judged on what the search holds out, without limits, so all is measured."""
    return dataclasses.replace(
        project,
        recipe=recipe,
        numerics=recipe.numerics,
        calibration=recipe.calibration,
        budget=Budget(),
        accuracy=Accuracy(metric=project.accuracy.metric, max_drop=NO_LIMIT),
        data=dataclasses.replace(project.data, as_test=True),
        emit=(),
    )


def concluded(answer: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """How a build ended, as a trial's state and facts."""
    found = objectives.figures(answer["measures"]) if answer["exit_code"] == 0 else None
    facts: dict[str, Any] = {"duration_s": answer.get("duration_s", 0.0)}
    if found is None:
        errors = [_said(one) for one in answer["diagnostics"] if one["severity"] == Severity.ERROR.value]
        return FAILED, {**facts, "reason": "; ".join(errors[:3]) or answer.get("lost", "it was not scored")}
    rows = (answer.get("details") or {}).get("sensitivity") or ()
    layers = list(dict.fromkeys(row["layer"] for row in rows if row["operator"] in _WITH_WEIGHTS))
    samples = _trained_on((answer.get("details") or {}).get("data"))
    return COMPLETE, {**facts, "figures": found.to_dict(), "sensitive": layers, "samples": samples}


def _trained_on(data: Mapping[str, Any] | None) -> int:
    """How many samples the training part had, from a report's account of its data."""
    return int((((data or {}).get("splits") or {}).get("train") or {}).get("samples", 0))


def _said(plain: Mapping[str, Any]) -> str:
    """A diagnostic in a line; of a fault of ours with what Python said."""
    note = f" ({plain['notes'][0]})" if plain["code"].startswith("EC9") and plain["notes"] else ""
    return f"{plain['code']}: {plain['message']}{note}"


def _demand_a_start(answer: Mapping[str, Any]) -> None:
    """Raise what the first build said, where no other build would end otherwise."""
    said = [from_dict(one) for one in answer["diagnostics"]]
    if any(one.code == _UNSCORED for one in said) or (
        answer["exit_code"] == 0 and not objectives.figures(answer["measures"])
    ):
        raise no_evaluation(next((note for one in said if one.code == _UNSCORED for note in one.notes[1:]), ""))
    refused = any(one.code.startswith(_OPERATORS) and one.severity is Severity.ERROR for one in said)
    if said and (answer["exit_code"] not in _OF_THE_RECIPE or (answer["exit_code"] and refused)):
        raise from_exit_code(answer["exit_code"], said)


def _demand_some_sense(answer: Mapping[str, Any], trials: Sequence[Trial]) -> None:
    """Raise what this build said where those before it said so, too: of faults of ours, and where none went through."""
    said = [from_dict(one) for one in answer["diagnostics"]]
    code = next((one.code for one in said if one.severity is Severity.ERROR), None)
    ended = [one for one in trials if one.is_done and one.state != DISCARDED]
    alike = [one for one in ended[-(_MOST_ALIKE - 1) :] if one.state == FAILED and one.reason.startswith(f"{code}:")]
    hopeless = code == _FAULT or not any(one.state == COMPLETE for one in ended)
    if code is not None and hopeless and len(alike) == _MOST_ALIKE - 1:
        raise from_exit_code(answer["exit_code"], said)


def no_evaluation(why: str) -> EdgecompileError:
    """EC852, to be raised."""
    return bad_input(
        "EC852",
        "there is no data to judge recipes by",
        notes=(why,) if why else ("a recipe is judged by the score of what was built, on samples with labels",),
        help=(
            'give data with labels by `--data FILE` or `source = "data.npz"` under [data]: `x_train` and `y_train`',
            "or name a `metric` that needs no labels, such as `mse`",
        ),
    )


def _discarded_last(trials: Sequence[Trial]) -> int:
    count = 0
    for trial in reversed(trials):
        if trial.state != DISCARDED:
            break
        count += 1
    return count
