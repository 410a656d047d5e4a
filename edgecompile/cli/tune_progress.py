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
        self._best = ""
        self._shown = ""

    def searching(self, trials: Sequence[Trial], running: Sequence[int], left_s: float | None) -> None:
        """The line that changes."""
        done = sum(one.is_done and one.state != DISCARDED for one in trials)
        whole = self._asked.most or 0
        parts = [f"{done}{f' of {whole}' if whole else ''} trials"]
        parts += [f"{len(running)} running"] if running else []
        parts += [f"best {self._best}"] if (self._best or self._found(trials)) else []
        parts += [f"{format_duration(left_s)} left"] if left_s is not None else []
        self._console.update(done, whole, ", ".join(parts))

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
        self._best = ""
        self._console.say(f"{'trial':>9}  {trial.number:<4} {line}")

    def summary(self, trials: Sequence[Trial]) -> str:
        """The search in a line."""
        failed = sum(one.state == FAILED for one in trials)
        gone = sum(one.state == DISCARDED for one in trials)
        parts = [f"{built([one for one in trials if one.is_done])} trials", f"{gone} discarded"] + (
            [f"{failed} failed"] if failed else []
        )
        return ", ".join(parts)

    def _found(self, trials: Sequence[Trial]) -> bool:
        """Look for the best so far, which takes a moment: only where a trial has ended since."""
        first = answer.candidates([one for one in trials if one.state == COMPLETE], self._asked)
        if first and first[0].figures:
            plain = first[0].figures.to_dict()
            self._best = ", ".join(pareto.value(one, plain) for one in self._asked.names)
        return bool(self._best)
