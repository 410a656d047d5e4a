"""What a network is to learn in a run: labels, a teacher's answers, inner tensors, and in which shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.compress.subject import Distillation, Subject
from edgecompile.compress.training.ends import End, ends_of
from edgecompile.compress.training.labels import Task, looks_like_probabilities
from edgecompile.compress.training.losses import feature_loss, label_loss, logits_of, teacher_loss
from edgecompile.compress.training.options import Training
from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean
from edgecompile.ir.graph import producers_of
from edgecompile.ir.network import Network, Subgraph

_MOST_FEATURES = 4
_CARRIERS = frozenset({"ADD", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})


@dataclass(frozen=True, kw_only=True, eq=False)
class Teacher:
    """A network that is learned from: its simulation, and how its outputs are read, one task each."""

    simulation: Simulation
    tasks: tuple[Task, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Lesson:
    """``pairs`` are inner tensors (student's, teacher's) to be brought together; ``labelled``: tasks have labels."""

    tasks: tuple[Task, ...]
    labelled: bool
    shares: Distillation
    teacher: Teacher | None = None
    pairs: tuple[tuple[int, int], ...] = ()

    @property
    def watch(self) -> tuple[int, ...]:
        """Tensors of the student whose values the loss needs."""
        logits = (task.end.tensor for task in self.tasks if task.end.tensor is not None)
        return tuple(dict.fromkeys((*logits, *(student for student, _ in self.pairs))))

    def loss(self, simulation: Simulation, x: Sequence[Any], targets: Sequence[Any], training: bool) -> Any:
        """The loss of a batch, a float32 scalar. ``targets`` are the labels as each task gives them, or nothing."""
        outputs, watched = simulation(x, training=training, watch=self.watch)
        logits = [logits_of(task, outputs, watched) for task in self.tasks]
        share = self.shares.teacher_weight if self.teacher is not None else 0.0
        loss = 0.0
        if self.labelled and share < 1:
            parts = zip(self.tasks, logits, targets, strict=True)
            loss += (1 - share) * sum(label_loss(*part) for part in parts)
        if self.teacher is not None and (share > 0 or self.pairs):
            loss += self._from_teacher(self.teacher, x, logits, watched, share)
        return loss

    def _from_teacher(self, teacher: Teacher, x: Sequence[Any], logits: Any, watched: Any, share: float) -> Any:
        ends = (task.end.tensor for task in teacher.tasks if task.end.tensor is not None)
        watch = tuple(dict.fromkeys((*ends, *(index for _, index in self.pairs))))
        outputs, inner = teacher.simulation(x, training=False, watch=watch)
        answers = [logits_of(task, outputs, inner) for task in teacher.tasks]
        loss = share * sum(
            teacher_loss(task, ours, theirs, self.shares.temperature)
            for task, ours, theirs in zip(self.tasks, logits, answers, strict=True)
        )
        if self.pairs:
            weight = self.shares.feature_weight / len(self.pairs)
            loss += weight * sum(feature_loss(watched[ours], inner[theirs]) for ours, theirs in self.pairs)
        return loss


def shares_of(subject: Subject, how: Training, labelled: bool) -> Distillation:
    """The shares of the loss: those of the subject's distillation, but for what ``how`` says otherwise.

    Without labels all of the loss is the teacher's.
    """
    usual = subject.distillation
    shares = replace(
        usual,
        teacher_weight=_said(how.teacher_weight, usual.teacher_weight),
        temperature=_said(how.temperature, usual.temperature),
        feature_weight=_said(how.feature_weight, usual.feature_weight),
    )
    return shares if labelled else replace(shares, teacher_weight=1.0)


def teacher_tasks(network: Network, tasks: Sequence[Task], outputs: Sequence[np.ndarray[Any, Any]]) -> tuple[Task, ...]:
    """How a teacher's outputs are read so that they compare with the student's; ``outputs`` are of some samples."""
    pairs = zip(tasks, ends_of(network), outputs, strict=True)
    return tuple(_teacher_task(task, end, output) for task, end, output in pairs)


def check_teacher(student: Network, teacher: Network) -> None:
    """Raises BadInputError EC315 where the teacher's inputs or outputs are not of the student's number and shapes."""
    for what in ("inputs", "outputs"):
        ours, theirs = _shapes(student.main, what), _shapes(teacher.main, what)
        if ours != theirs:
            raise _unfit(f"the teacher's {what} are not the network's", ours, theirs)


def pairs_of(student: Network, teacher: Network, shares: Distillation) -> tuple[tuple[int, int], ...]:
    """Inner tensors of student and teacher that have the same name and shape, by name or, without names, a few.

    Those chosen are the last of equal parts of the network, logits left out. Raises BadInputError EC315 for a name that
    either network lacks.
    """
    if shares.feature_weight == 0:
        return ()
    agreeing = _agreeing(student.main, teacher.main)
    if shares.features:
        for name in shares.features:
            if name not in agreeing:
                near = did_you_mean(name, agreeing)
                raise _unfit(f"no inner tensor `{name}` of the same shape in both", list(agreeing)[:12], name, near)
        return tuple(agreeing[name] for name in shares.features)
    ends = {end.tensor for end in ends_of(student)} | set(student.main.outputs)
    producers = producers_of(student.main)
    usable = [
        pair
        for pair in agreeing.values()
        if pair[0] not in ends and student.main.operators[producers[pair[0]]].name in _CARRIERS
    ]
    count = min(_MOST_FEATURES, len(usable))
    return tuple(usable[(place + 1) * len(usable) // count - 1] for place in range(count))


def other_order() -> EdgecompileError:
    """EC315, bad input: inner tensors were to be matched whose channels lie in another order."""
    return bad_input(
        "EC315",
        "inner tensors of this teacher cannot be matched: channels of the network lie in another order",
        location=Location(detail="`feature_weight`"),
        notes=("`prune` put channels of like importance side by side, and this teacher is another network",),
        help=("`reorder = false` in the step `prune`", "or leave `feature_weight` out"),
    )


def unmatched() -> Diagnostic:
    """EC315, a warning: inner tensors were to be matched, and there are none to match."""
    return Diagnostic(
        code="EC315",
        severity=Severity.WARNING,
        message="network and teacher have no inner tensor of the same name and shape: none is matched",
        location=Location(detail="`feature_weight`"),
        notes=("other channels, or another architecture, leave none that can be compared", "outputs are learned from"),
        help=("leave `feature_weight` out", "or put the step before those that take channels out"),
    )


def _agreeing(student: Subgraph, teacher: Subgraph) -> dict[str, tuple[int, int]]:
    theirs = {teacher.tensors[index].name: index for index in producers_of(teacher)}
    found = {}
    for index in producers_of(student):
        tensor = student.tensors[index]
        other = theirs.get(tensor.name)
        if other is not None and teacher.tensors[other].shape == tensor.shape:
            found[tensor.name] = (index, other)
    return found


def _teacher_task(task: Task, end: End, output: np.ndarray[Any, Any]) -> Task:
    """A teacher that ends openly gives logits, unless its outputs are distributions."""
    if task.kind == "values":
        end = replace(end, tensor=None)
    closed = task.kind == "classes" and end.kind == "open" and looks_like_probabilities(output)
    return replace(task, end=end, labels=None, from_probabilities=closed)


def _said(value: float | None, usual: float) -> float:
    return usual if value is None else value


def _shapes(main: Subgraph, what: str) -> list[tuple[int, ...]]:
    return [main.tensors[index].shape[1:] for index in getattr(main, what)]


def _unfit(message: str, limit: Any, found: Any, near: tuple[str, ...] = ()) -> EdgecompileError:
    return bad_input(
        "EC315",
        message,
        location=Location(detail="`distill`"),
        notes=(f"the network has: {_spelled(limit)}", f"the teacher has: {_spelled(found)}")
        if isinstance(found, list)
        else (f"tensors on which they agree: {_spelled(limit)}", f"found: {found}"),
        help=near or ("name a teacher of the same inputs and outputs", "or leave the teacher to the network itself"),
    )


def _spelled(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
