"""How a search goes, on the terminal: a line a trial, and on a live one how many, the best so far, the time left."""

from __future__ import annotations

from collections.abc import Sequence

from edgecompile.cli.console import Console
from edgecompile.core.units import format_duration
from edgecompile.report import pareto
from edgecompile.search import answer, recipes
from edgecompile.search.proposals import Asked, built
from edgecompile.search.study import COMPLETE, DISCARDED, FAILED, Trial


class Progress:
    """A listener of a search."""

    def __init__(self, console: Console, asked: Asked) -> None:
        self._console, self._asked = console, asked
        self._best: tuple[str, ...] = ()

    def searching(self, trials: Sequence[Trial], running: Sequence[int], left_s: float | None) -> None:
        """The line that changes."""
        done = sum(one.is_done and one.state != DISCARDED for one in trials)
        whole = self._asked.most or 0
        count = f"{done} of {whole}" if whole else str(done)
        trials_told = f"{count} {_trials(whole or done)}"
        best = self._best or self._found(trials)
        left = _left(trials, done, whole, len(running), left_s)
        forms = (
            (trials_told, f"{len(running)} running" if running else "", _told("best ", best), left),
            (trials_told, _told("best ", best), left),
            (trials_told, _told("best ", best[:2]), left),
            (trials_told, _told("best ", best[:1]), left),
            (count, _told("best ", best[:1]), left),
            (count, _told("", best[:1]), left),
        )
        words = [", ".join(part for part in form if part) for form in forms]
        self._console.update(done, whole, next((one for one in words if len(one) <= self._console.room), words[-1]))

    def ended(self, trial: Trial) -> None:
        """A line for a trial that is done."""
        name = recipes.title(answer.plain_recipe(trial))
        if trial.state == COMPLETE and trial.figures:
            plain = trial.figures.to_dict()
            shown = ", ".join(pareto.value(one, plain) for one in self._asked.names)
            line = f"{shown}  {name}{'' if trial.full else ' (short)'}, {format_duration(trial.duration_s)}"
        elif trial.state == FAILED:
            line = f"failed: {trial.reason[:160]}  {name}"
        else:
            line = f"not built: {trial.reason}  {name}"
            if not self._console.verbose:
                return
        self._best = ()
        self._console.aside(f"{'trial':>9}  {trial.number:<4} {line}")

    def summary(self, trials: Sequence[Trial]) -> str:
        """The search in a line."""
        failed = sum(one.state == FAILED for one in trials)
        gone = sum(one.state == DISCARDED for one in trials)
        done = built([one for one in trials if one.is_done])
        parts = [f"{done} {_trials(done)}", f"{gone} discarded"] + ([f"{failed} failed"] if failed else [])
        return ", ".join(parts)

    def _found(self, trials: Sequence[Trial]) -> tuple[str, ...]:
        """The figures of the best so far; looked for where a trial has ended since, as it takes a moment."""
        first = answer.candidates([one for one in trials if one.state == COMPLETE], self._asked)
        if first and first[0].figures:
            plain = first[0].figures.to_dict()
            self._best = tuple(pareto.value(one, plain) for one in self._asked.names)
        return self._best


def _trials(count: int) -> str:
    return "trial" if count == 1 else "trials"


def _told(word: str, figures: Sequence[str]) -> str:
    return word + ", ".join(figures) if figures else ""


def _left(trials: Sequence[Trial], done: int, whole: int, running: int, left_s: float | None) -> str:
    """The time that is granted, or what the trials that are left will take, each as long as those before."""
    if left_s is None:
        times = [one.duration_s for one in trials if one.is_done and one.duration_s]
        if not times or not whole:
            return ""
        left_s = sum(times) / len(times) * max(whole - done, 0) / max(running, 1)
    return f"{format_duration(left_s)} left"
