"""A study on the disk: what is searched, its trials, and which process works on which of them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import EdgecompileError, bad_input
from edgecompile.core.recipe import Recipe
from edgecompile.core.units import counted
from edgecompile.ir.spelling import printable
from edgecompile.libs import optuna
from edgecompile.search import objectives, recipes
from edgecompile.search.genome import Dimension
from edgecompile.search.objectives import Figures

CARD, JOURNAL = "study.json", "journal.log"
RUNNING, COMPLETE, FAILED, DISCARDED = optuna.RUNNING, optuna.COMPLETE, optuna.FAILED, optuna.DISCARDED
_SHOWN, _SHOWN_BYTES = 60, 240
_NEW_FOLDER = "name another folder with `--study`, or remove this one to begin anew"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A recipe that was, is or will be built. ``origin`` says where it came from, ``reason`` why it has no figures.

    ``full``: trained as the recipe says; else for a share of its epochs, and ``promoted`` is the trial that it goes on
    from, None for one that does not. ``samples`` is how many it had to train on.
    """

    number: int
    state: str
    genome: Mapping[str, Any]
    recipe: Recipe
    origin: str
    full: bool
    promoted: int | None = None
    figures: Figures | None = None
    reason: str = ""
    sensitive: tuple[str, ...] = ()
    samples: int = 0
    duration_s: float = 0.0

    @property
    def is_done(self) -> bool:
        """Nobody will work on it again."""
        return self.state != RUNNING


@dataclass(kw_only=True)
class Study:
    """The trials in ``folder``; :func:`open_study` makes one. Several processes may have it open.

    ``is_new``: this process made it.
    """

    folder: Path
    space: Sequence[Dimension]
    journal: optuna.Journal
    said: list[Diagnostic] = field(default_factory=list)
    is_new: bool = False
    _locks: dict[int, int] = field(default_factory=dict)

    def trials(self) -> list[Trial]:
        """All of them, by number."""
        return [self._trial(row) for row in self.journal.rows()]

    def begin(self, trial: Trial) -> int:
        """Write a new trial, and take it; to be called within :meth:`asking`. Its number is given back."""
        place = {one.name: one.values.index(trial.genome[one.name]) for one in self.space}
        facts = {
            "number": trial.number,
            "recipe": recipes.to_plain(trial.recipe),
            "origin": trial.origin,
            "full": trial.full,
            "promoted": trial.promoted,
            "reason": trial.reason,
        }
        number = self.journal.begin(place, facts, trial.state)
        if trial.state == RUNNING:
            self.take(number)
        return number

    def end(self, number: int, state: str, facts: Mapping[str, Any]) -> None:
        """Write what came of a trial, and let it go."""
        self.journal.end(number, state, facts)
        self.release(number)

    def take(self, number: int) -> bool:
        """Whether the trial is this process's now: nobody else works on it. A death lets it go."""
        if number in self._locks:
            return False
        descriptor = os.open(self.place(number).with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._locks[number] = descriptor
        return True

    def release(self, number: int) -> None:
        """Let a trial go that is this process's."""
        descriptor = self._locks.pop(number, None)
        if descriptor is not None:
            os.close(descriptor)

    def release_all(self) -> None:
        """Let all trials go that are this process's."""
        for number in tuple(self._locks):
            self.release(number)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Within it no other process begins or takes over a trial."""
        with _locked(self.folder / "ask.lock"):
            yield

    def forget(self) -> None:
        """Remove a study that this process made and nothing came of: nobody wants to go on with it."""
        with self.asking():
            if not self.is_new or any(one.is_done for one in self.trials()):
                return
            for name in (JOURNAL, CARD):
                (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def place(self, number: int) -> Path:
        """The folder that a trial is built in."""
        return self.folder / "trials" / f"{number:04d}"

    def final(self, number: int) -> Path:
        """The folder that a trial of the front is built in again, to be judged on the test part."""
        return self.folder / "final" / f"{number:04d}"

    def _trial(self, row: optuna.Row) -> Trial:
        facts = row.facts
        if facts["number"] != row.number:
            raise ValueError(f"trial {facts['number']} stands in the place of {row.number}: a line is missing")
        genome = {one.name: one.values[int(row.place[one.name])] for one in self.space}
        found = facts.get("figures")
        return Trial(
            number=row.number,
            state=row.state,
            genome=genome,
            recipe=recipes.from_plain(facts["recipe"]),
            origin=facts["origin"],
            full=facts["full"],
            promoted=facts["promoted"],
            figures=objectives.from_plain(found) if found else None,
            reason=facts.get("reason", ""),
            sensitive=tuple(facts.get("sensitive", ())),
            samples=facts.get("samples", 0),
            duration_s=facts.get("duration_s", 0.0),
        )


def open_study(folder: Path, identity: Mapping[str, Any], space: Sequence[Dimension]) -> Study:
    """The study in ``folder``, a new one where there is none.

    Raises MissingError EC850 without Optuna; BadInputError EC853 for a study of other inputs, EC859 for one that
    cannot be read. A line that was torn by a crash is taken away, which is told (EC860), as is a journal whose trials
    are gone (EC868).
    """
    optuna.demand()
    (folder / "trials").mkdir(parents=True, exist_ok=True)
    said: list[Diagnostic] = []
    with _locked(folder / "ask.lock"):
        for name in (CARD, JOURNAL):
            if (folder / name).exists() and not (folder / name).is_file():
                raise _damaged(folder / name, "it is a folder, a pipe or a device, not a file")
        is_new = not (folder / CARD).exists()
        if is_new and (folder / JOURNAL).is_file() and (folder / JOURNAL).stat().st_size:
            raise _damaged(folder / CARD, "it is missing, so that nobody knows what the trials are of")
        _identify(folder / CARD, identity)
        with _locked(folder / "journal.lock"):
            _mend(folder / JOURNAL, said)
        said += _emptied(folder)
        try:
            choices = {one.name: optuna.Choice(count=len(one.values), ordered=one.ordered) for one in space}
            study = Study(
                folder=folder, space=space, journal=optuna.Journal(folder / JOURNAL, choices), said=said, is_new=is_new
            )
            study.trials()
        except (EdgecompileError, OSError):
            raise
        except Exception as error:  # a journal that is JSON and yet none may break Optuna anywhere
            raise _damaged(
                folder / JOURNAL, f"its records do not fit together ({type(error).__name__}: {error})"
            ) from error
    return study


def _identify(card: Path, identity: Mapping[str, Any]) -> None:
    if not card.exists():
        _write(card, identity)
        return
    try:
        found = json.loads(card.read_bytes())
        known = found.keys() & identity.keys()
        other = sorted(name for name in {*found, *identity} if found.get(name) != identity.get(name))
    except (ValueError, AttributeError, TypeError) as error:
        raise _damaged(card, f"it is no JSON object: {error}") from error
    if not known:
        raise _damaged(card, "it does not say what the trials are of: none of its names is one that a study writes")
    if other:
        raise bad_input(
            "EC853",
            "the study in this folder is of something else",
            str(card.parent),
            notes=tuple(f"{name}: found {_said(found, name)}; asked {_said(identity, name)}" for name in other),
            help=(_NEW_FOLDER, "or give the same inputs and budgets as before to go on with it"),
        )


def _said(identity: Mapping[str, Any], name: str) -> Any:
    return "nothing" if identity.get(name) is None else identity[name]


def _write(card: Path, identity: Mapping[str, Any]) -> None:
    part = card.with_suffix(".part")
    try:
        part.write_text(json.dumps(dict(identity), indent=2) + "\n", encoding="utf-8")
        os.replace(part, card)
    finally:
        part.unlink(missing_ok=True)


def _mend(journal: Path, said: list[Diagnostic]) -> None:
    """Drop a last line that is not whole. Raises BadInputError EC859 for any other that is no record."""
    if not journal.exists():
        return
    lines = journal.read_bytes().splitlines(keepends=True)
    for index, line in enumerate(lines):
        if _is_record(line):
            continue
        if index < len(lines) - 1:
            raise _damaged(journal, f"line {index + 1} is no record of a trial: {_excerpt(line)}")
        with open(journal, "r+b") as file:
            file.truncate(sum(map(len, lines[:-1])))
        said.append(_torn(journal, len(line)))


def _emptied(folder: Path) -> tuple[Diagnostic, ...]:
    """EC868 for a journal without a line beside traces of trials."""
    journal = folder / JOURNAL
    traces = {path.stem for path in (folder / "trials").iterdir()}
    if not traces or (journal.exists() and journal.stat().st_size):
        return ()
    found = "it is empty" if journal.exists() else "there is none"
    return (
        Diagnostic(
            code="EC868",
            severity=Severity.WARNING,
            message="the trials of this study are gone: it begins anew",
            location=Location(file=str(journal)),
            notes=(
                "the journal has a line for each change of a trial; "
                f"found: {found}, beside traces of {counted(len(traces), 'trial')}",
                "what was built is in the cache, so that most of it need not be done again",
            ),
            help=("stop it (Ctrl-C) and bring the file back to go on where the study was",),
        ),
    )


def _excerpt(line: bytes) -> str:
    """The beginning of a line between backticks, as text; bytes that are none as ``\\xff``."""
    text = printable(line[:_SHOWN_BYTES].decode("utf-8", "backslashreplace").strip())
    if not text:
        return "an empty line"
    return f"`{text}`" if len(text) <= _SHOWN else f"`{text[: _SHOWN - 3]}...`"


def _is_record(line: bytes) -> bool:
    try:
        plain = json.loads(line)
    except ValueError:
        return False
    return line.endswith(b"\n") and isinstance(plain, dict) and "op_code" in plain


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _damaged(path: Path, why: str) -> EdgecompileError:
    return bad_input(
        "EC859",
        "the study cannot be read: its file is damaged",
        str(path),
        notes=(why[:300],),
        help=(_NEW_FOLDER, "what was built is in the cache, so that most of it need not be done again"),
    )


def _torn(path: Path, size_bytes: int) -> Diagnostic:
    return Diagnostic(
        code="EC860",
        severity=Severity.NOTE,
        message="the last line of the study was not whole, and was taken away",
        notes=(f"in {path}: {counted(size_bytes, 'byte')} without their end, as an interrupted write leaves them",),
        help=("nothing to do: at most one trial is looked at again",),
    )
