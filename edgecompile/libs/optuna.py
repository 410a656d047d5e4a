"""The door to Optuna: trials in a journal file that several processes share, and its sampler asked for one proposal.

What a proposal sees is passed in, not read from the journal: so the same trials and seed give the same proposal,
whoever asks and whatever else has been written meanwhile.
"""

from __future__ import annotations

import fcntl
import importlib.util
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from edgecompile.core.errors import missing

STUDY = "tune"
RUNNING, COMPLETE, FAILED, DISCARDED = "RUNNING", "COMPLETE", "FAIL", "PRUNED"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A trial as the journal has it; ``facts`` are JSON, ``place`` the position of each value in its dimension."""

    number: int
    state: str
    place: Mapping[str, int]
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What the sampler learns from: positions, objectives (smaller is better), and by how much limits are passed."""

    place: Mapping[str, int]
    objectives: Sequence[float]
    violations: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A dimension for the sampler: how many values it has, and whether they are in an order."""

    count: int
    ordered: bool


def demand() -> None:
    """Raises MissingError EC850 without Optuna."""
    if importlib.util.find_spec("optuna") is None:
        raise missing(
            "EC850",
            "`tune` needs Optuna, and it is not installed",
            help=("pip install 'edgecompile[tune]'", "or pip install 'optuna>=4'"),
        )


class Journal:
    """The trials of one study in a file; every change is one line that is written whole under a lock.

    Locks are the kernel's (``flock``), which a process's death releases.
    """

    def __init__(self, path: Path, choices: Mapping[str, Choice]) -> None:
        optuna = _optuna()
        from optuna.storages.journal import JournalFileBackend, JournalStorage

        self._distributions = {name: _distribution(optuna, choice) for name, choice in choices.items()}
        backend = JournalFileBackend(str(path), lock_obj=_lock(path.with_suffix(".lock")))
        self._storage = JournalStorage(backend)
        if not self._storage.get_all_studies():
            optuna.create_study(storage=self._storage, study_name=STUDY, direction="minimize")
        self._study = self._storage.get_study_id_from_name(STUDY)

    def rows(self) -> list[Row]:
        """All trials by number."""
        self._storage._sync_with_backend()
        trials = self._storage.get_all_trials(self._study, deepcopy=False)
        return [
            Row(number=one.number, state=one.state.name, place=dict(one.params), facts=dict(one.user_attrs))
            for one in trials
        ]

    def begin(self, place: Mapping[str, int], facts: Mapping[str, Any], state: str = RUNNING) -> int:
        """Write a new trial; gives its number."""
        optuna = _optuna()
        kind = optuna.trial.TrialState[state]
        trial = optuna.trial.FrozenTrial(
            number=-1,
            state=kind,
            value=None,
            values=None,
            datetime_start=datetime.now(),
            datetime_complete=datetime.now() if kind.is_finished() else None,
            params=dict(place),
            distributions=self._distributions,
            user_attrs=dict(facts),
            system_attrs={},
            intermediate_values={},
            trial_id=-1,
        )
        return int(self._storage.get_trial_number_from_id(self._storage.create_new_trial(self._study, trial)))

    def note(self, number: int, facts: Mapping[str, Any]) -> None:
        """Add facts to a running trial."""
        trial = self._storage.get_trial_id_from_study_id_trial_number(self._study, number)
        for name, value in facts.items():
            self._storage.set_trial_user_attr(trial, name, value)

    def end(self, number: int, state: str, facts: Mapping[str, Any]) -> None:
        """Write what came of a trial."""
        self.note(number, facts)
        trial = self._storage.get_trial_id_from_study_id_trial_number(self._study, number)
        values = [0.0] if state == COMPLETE else None  # objectives are read from the facts, where all figures are
        self._storage.set_trial_state_values(trial, _optuna().trial.TrialState[state], values)


def propose(choices: Mapping[str, Choice], seen: Sequence[Seen], seed: int) -> dict[str, int]:
    """One proposal of Optuna's multi-objective TPE (Ozaki et al., 2022) that has seen these trials.

    Those with an objective that is not finite are left out: hypervolumes need numbers.
    """
    optuna = _optuna()
    from optuna.trial import create_trial

    distributions = {name: _distribution(optuna, choice) for name, choice in choices.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.TPESampler(
            seed=seed, multivariate=True, n_startup_trials=4, constraints_func=lambda trial: trial.user_attrs["limits"]
        )
        known = [one for one in seen if all(map(math.isfinite, one.objectives))]
        many = len(known[0].objectives) if known else 1
        study = optuna.create_study(directions=["minimize"] * many, sampler=sampler)
        for one in known:
            limits = [float(over) for over in one.violations]
            study.add_trial(
                create_trial(
                    params=dict(one.place),
                    distributions=distributions,
                    values=[float(value) for value in one.objectives],
                    user_attrs={"limits": limits},
                    system_attrs={"constraints": limits},
                )
            )
        return dict(study.ask(distributions).params)


def _distribution(optuna: Any, choice: Choice) -> Any:
    kinds = optuna.distributions
    if choice.ordered:
        return kinds.IntDistribution(0, choice.count - 1)
    return kinds.CategoricalDistribution(tuple(range(choice.count)))


def _lock(path: Path) -> Any:
    from optuna.storages.journal._file import BaseJournalFileLock

    class Lock(BaseJournalFileLock):  # type: ignore[misc]
        """Optuna's own locks are files, which a killed process leaves behind."""

        def __init__(self) -> None:
            self._file: int | None = None

        def acquire(self) -> bool:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            return True

        def release(self) -> None:
            if self._file is not None:
                os.close(self._file)
                self._file = None

    return Lock()


def _optuna() -> Any:
    demand()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
    return optuna
