"""The course of a run: epoch after epoch, the best state remembered, a checkpoint each, until it is over."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.compress.context import Context
from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.compress.training import checkpoint
from edgecompile.compress.training.exhausted import exhausted, out_of_memory
from edgecompile.compress.training.feed import Feed
from edgecompile.compress.training.judge import Judge
from edgecompile.compress.training.learner import Learner
from edgecompile.compress.training.made_worse import made_worse, tell_once
from edgecompile.compress.training.options import Training
from edgecompile.compress.training.patience import ended_early, runs_out
from edgecompile.compress.training.schedule import learning_rate
from edgecompile.core.units import counted, format_duration

Array = np.ndarray[Any, Any]
# Called with the step, the number of steps, and the simulation, which it may change.
Adjust = Callable[[int, int, Simulation], bool | None]
_BEST = "best "
_SECONDS_BETWEEN_UPDATES = 0.5
_LARGEST = 1e18  # of a weight: the square of a larger one overflows float32


@dataclass(kw_only=True)
class Standing:
    """What is known after ``epoch`` epochs. ``best`` is the network's state at its best, None: none may count yet.

    ``diverged_at`` is the step at which the loss was no number, or with ``grown`` a weight too large to compute with,
    None: at none. ``over``: there is nothing more to do.
    """

    epoch: int = 0
    best: Mapping[str, Array] | None = None
    best_value: float | None = None
    best_epoch: int = 0
    waited: int = 0
    diverged_at: int | None = None
    grown: bool = False
    over: bool = False
    history: list[list[float | None]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, eq=False)
class Course:
    """``run`` trains. ``folder`` is where this run's checkpoints are, None: it keeps none."""

    learner: Learner
    feed: Feed
    judge: Judge
    how: Training
    context: Context
    adjust: Adjust | None
    folder: Path | None

    def run(self) -> Standing:
        """Train from the newest checkpoint, or the beginning, to the end. Raises EC314 without memory."""
        came = self.learner.network_state() if self.adjust is None else None
        standing = self._resumed() or Standing()
        try:
            self._go_on(standing)
        except exhausted() as error:
            kept = self.folder is not None and standing.epoch > 0
            step = self.context.step
            raise out_of_memory(self.how, error, step=step, epoch=standing.epoch, kept=kept) from None
        if standing.diverged_at is None and standing.epoch < self.how.epochs:
            self.context.diagnostics.append(ended_early(self.how, standing.epoch, standing.best_epoch))
        if came is not None:
            self._hold_against(came, standing)
        return standing

    def _go_on(self, standing: Standing) -> None:
        """Epoch after epoch until it is over."""
        started, first = time.monotonic(), standing.epoch
        while not standing.over:
            pace = (time.monotonic() - started, (standing.epoch - first) * self.feed.steps)
            loss = self._epoch(standing, pace)
            if standing.diverged_at is None:
                self._finish_epoch(standing, loss)
            standing.over = standing.over or standing.diverged_at is not None or standing.epoch >= self.how.epochs
            self._save(standing)

    @property
    def steps(self) -> int:
        """Training steps of all epochs."""
        return self.how.epochs * self.feed.steps

    def _hold_against(self, came: Mapping[str, Array], standing: Standing) -> None:
        """Let the network as it came be the best where training harmed it by more than chance.

        Its own training may have seen the held-out samples, which then flatter it and not what is trained here.
        """
        self.learner.restore(came)
        value, parts = self.judge.value(self.learner), self.judge.parts(self.learner)
        if standing.best is not None:
            if self.judge.samples is None or self.judge.better(standing.best_value, value):
                return
            self.learner.restore(standing.best)
            if self.judge.by_chance(parts, self.judge.parts(self.learner)):
                return
        if standing.best is not None and standing.diverged_at is None:
            told = made_worse(self.how, self.context.step, self.judge, value, standing.best_value, proven=bool(parts))
            tell_once(told, self.context.diagnostics)
        standing.best, standing.best_value, standing.best_epoch = came, value, 0

    def _epoch(self, standing: Standing, pace: tuple[float, int]) -> float:
        """One pass over the training samples; the mean loss. ``standing.diverged_at`` is set where the loss is NaN."""
        losses: list[float] = []
        began = shown = time.monotonic()
        for number in range(self.feed.steps):
            step = standing.epoch * self.feed.steps + number
            if self.adjust is not None:
                self.adjust(step, self.steps, self.learner.simulation)
            rate = learning_rate(self.how, step, self.steps)
            losses.append(self.learner.step(*self.feed.batch(standing.epoch, number), rate, step))
            if not math.isfinite(losses[-1]):
                standing.diverged_at = step
                break
            now = time.monotonic()
            if now - shown >= _SECONDS_BETWEEN_UPDATES:
                shown = now
                self._tell(standing, step + 1, losses, (pace[0] + now - began) / (pace[1] + number + 1))
        return float(np.mean(losses))

    def _finish_epoch(self, standing: Standing, loss: float) -> None:
        standing.epoch += 1
        step = standing.epoch * self.feed.steps
        settled = self.adjust is None or bool(self.adjust(step, self.steps, self.learner.simulation))
        state = self.learner.network_state()
        if not all((np.abs(array) < _LARGEST).all() for array in state.values()):
            standing.diverged_at, standing.grown = step - 1, all(np.isfinite(array).all() for array in state.values())
            return
        value = self.judge.value(self.learner)
        standing.history.append([loss, value])
        standing.waited += 1
        if (settled or standing.epoch >= self.how.epochs) and (
            standing.best is None or self.judge.better(value, standing.best_value)
        ):
            standing.best, standing.best_value, standing.best_epoch = state, value, standing.epoch
            standing.waited = 0
        standing.over = settled and runs_out(self.how, standing.epoch, standing.waited)
        self._tell(standing, step, [loss], None)

    def _tell(self, standing: Standing, done: int, losses: list[float], seconds_a_step: float | None) -> None:
        before, whole = (self.feed.steps * epochs for epochs in (self.how.before, self.how.as_asked.epochs))
        parts = [f"epoch {self.how.epoch((done - 1) // self.feed.steps + 1)}"]
        parts.append(f"loss {np.mean(losses[-50:]):.4f}")
        if standing.history and standing.history[-1][1] is not None:
            parts.append(f"{self.judge.name} {standing.history[-1][1]:.4f}")
        if seconds_a_step is not None:
            parts.append(f"{format_duration(seconds_a_step * (whole - before - done))} left")
        self.context.progress.update(before + done, whole, ", ".join(parts))

    def _save(self, standing: Standing) -> None:
        if self.folder is None:
            return
        numbers = {name: value for name, value in vars(standing).items() if name != "best"}
        best = {_BEST + name: array for name, array in (standing.best or {}).items()}
        state = checkpoint.State(epoch=standing.epoch, numbers=numbers, arrays={**self.learner.state, **best})
        checkpoint.save(self.folder, state)

    def _resumed(self) -> Standing | None:
        state = checkpoint.restore(self.folder, self.context.diagnostics) if self.folder is not None else None
        if state is None:
            return None
        best = {name.removeprefix(_BEST): array for name, array in state.arrays.items() if name.startswith(_BEST)}
        self.learner.restore({name: array for name, array in state.arrays.items() if not name.startswith(_BEST)})
        self._tell_taken_over(state.numbers["epoch"])
        return Standing(**state.numbers, best=best or None)

    def _tell_taken_over(self, epoch: int) -> None:
        """In place of what a run before this one of the same step said."""
        end = f" of {counted(self.how.as_asked.epochs, 'epoch')}"
        before = [one for one in self.context.taken_over if not (self.how.before and one.endswith(end))]
        self.context.taken_over[:] = [*before, f"{self.how.before + epoch}{end}"]
