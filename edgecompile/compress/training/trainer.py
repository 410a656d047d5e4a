"""Train a subject's network, float or integer, as the device will run it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import edgecompile
from edgecompile.compress.context import Context, Samples
from edgecompile.compress.simulate.simulation import Simulation
from edgecompile.compress.subject import Subject
from edgecompile.compress.training import augment
from edgecompile.compress.training.checkpoint import fingerprint
from edgecompile.compress.training.course import Adjust, Course, Standing
from edgecompile.compress.training.ends import ends_of
from edgecompile.compress.training.exhausted import exhausted, out_of_memory
from edgecompile.compress.training.feed import Feed, dtypes_of, taken
from edgecompile.compress.training.judge import Judge
from edgecompile.compress.training.labels import tasks_of
from edgecompile.compress.training.learner import Learner
from edgecompile.compress.training.lesson import (
    Lesson,
    Teacher,
    check_teacher,
    other_order,
    pairs_of,
    shares_of,
    teacher_tasks,
    unmatched,
)
from edgecompile.compress.training.made_worse import lower_rate, tell_once
from edgecompile.compress.training.material import Material, material_of
from edgecompile.compress.training.options import Training
from edgecompile.compress.training.own_change import OwnChange
from edgecompile.compress.training.placement import Placement, placement
from edgecompile.compress.training.setting import settle
from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import RejectedError, rejected
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write

Array = np.ndarray[Any, Any]
_LOOKED_AT = 64  # samples that tell what outputs look like
_PRIMED = 2048  # samples that batch norms start from
_LEAST_NORMALIZED = 16  # samples in a batch whose mean and variance say something
_CONVOLUTIONS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})


def train(
    subject: Subject, how: Training, context: Context, *, adjust: Adjust | None = None, identity: str = ""
) -> Subject:
    """The subject after training: its network's weights, and ``held`` with the codes and scales as trained.

    The best state by the score on ``context.validation`` (by the loss, where there is no score) is given back, the
    network as it came where it leads by more than two standard errors. ``adjust(step, steps, simulation)`` is called
    before each step, step 0 being the first, and after each epoch with the number of steps done; it returns True when
    the simulation is as it must end (a pruning schedule is through): only such epochs, and the last, can be the best,
    and not the network as it came. It keeps no state of its own beyond the simulation's, and ``identity`` is text that
    changes whenever it would act differently: checkpoints are found by it. A run that was killed goes on from its last
    epoch in ``context.folder`` to the same result.

    Adds to ``context.diagnostics``: EC310 without labels, EC311 where the loss became NaN and the best state before
    is given back, EC312 with nothing to hold out, EC315 where no inner tensors match, EC317 for a damaged checkpoint,
    EC336 where training made nothing better.
    Raises EC311 where there is no such state, EC312 with too few samples, EC313 for labels that do not fit, EC314
    without memory, EC315 for a teacher that does not fit, EC316 with nothing to train, EC318 for augmentation that does
    not fit, EC350 for an operator that cannot be simulated.
    """
    if how.epochs == 0:
        return subject
    setting, place = settle(), placement()
    try:
        with place.scope():
            return _train(subject, how, context, adjust, (setting, identity), place)
    except exhausted() as error:  # before the first epoch, or behind the last
        raise out_of_memory(how, error, step=context.step, epoch=None, kept=False) from None


def _train(
    subject: Subject,
    how: Training,
    context: Context,
    adjust: Adjust | None,
    identity: tuple[str, ...],
    place: Placement,
) -> Subject:
    material = material_of(context)
    how = replace(how, normalize=_normalizes(subject.network, how, len(material.train)))
    simulation = _simulation(subject, bool(how.normalize))
    lesson = _lesson(subject, how, simulation, material)
    if lesson.teacher is not None and lesson.shares.feature_weight > 0 and not lesson.pairs:
        context.diagnostics.append(unmatched())
    dtypes = dtypes_of(subject.network)
    augment.check(how.augment, taken(material.train, np.arange(1), dtypes), lesson.tasks)
    changes = augment.changes_of(how.augment, context.base)
    feed = Feed(
        samples=material.train,
        tasks=lesson.tasks,
        dtypes=dtypes,
        batch_size=how.batch_size,
        changes=changes,
        seed=context.seed,
    )
    if how.normalize:
        simulation.prime(taken(material.train, np.arange(min(_PRIMED, len(material.train))), feed.dtypes))
    learner = Learner(simulation, lesson, how, feed.dtypes, adjust is not None, place)
    judge = _judge(material, context, lesson, simulation, feed.dtypes)
    own = (change.source for change in changes if isinstance(change, OwnChange))
    parts = (*identity, *own, str(adjust is not None), repr(how), repr(lesson.shares))
    course = Course(
        learner=learner,
        feed=feed,
        judge=judge,
        how=how,
        context=context,
        adjust=adjust,
        folder=_folder(subject, context, material, parts),
    )
    return _result(subject, course.run(), course)


def _simulation(subject: Subject, normalize: bool) -> Simulation:
    simulation = Simulation(subject.network, held=subject.held, normalize=normalize)
    if not simulation.trainable_variables:
        raise rejected(
            "EC316",
            "the network has nothing to train",
            notes=("weights of convolutions, dense and recurrent layers, and embeddings are trained", "found: none"),
            help=("take the steps that train out of the recipe, or `epochs = 0`",),
        )
    return simulation


def _lesson(subject: Subject, how: Training, simulation: Simulation, material: Material) -> Lesson:
    some = taken(material.train, np.arange(min(_LOOKED_AT, len(material.train))), dtypes_of(subject.network))
    outputs = [np.asarray(output) for output in simulation(some)[0]]
    tasks = tasks_of(ends_of(subject.network), material.train.y, outputs)
    shares = shares_of(subject, how, material.labelled)
    network = subject.teacher or (None if material.labelled else subject.network)
    if network is None or (shares.teacher_weight == 0 and shares.feature_weight == 0):
        return Lesson(tasks=tasks, labelled=material.labelled, shares=shares)
    check_teacher(subject.network, network)
    if shares.feature_weight > 0 and network is subject.teacher and subject.reordered != subject.teacher_reordered:
        raise other_order()
    teacher = Simulation(network)
    answers = [np.asarray(output) for output in teacher(some)[0]]
    return Lesson(
        tasks=tasks,
        labelled=material.labelled,
        shares=shares,
        teacher=Teacher(simulation=teacher, tasks=teacher_tasks(network, tasks, answers)),
        pairs=pairs_of(subject.network, network, shares),
    )


def _judge(
    material: Material, context: Context, lesson: Lesson, simulation: Simulation, dtypes: tuple[str, ...]
) -> Judge:
    samples = material.held_out
    if samples is None:
        return Judge(samples=None, score=None, tasks=())
    if context.score is not None and (samples.y or not material.labelled):
        return Judge(samples=samples, score=context.score, tasks=())
    if material.labelled and not samples.y:
        return Judge(samples=None, score=None, tasks=())
    # Not compiled: what is compiled before the first zeros are set does not follow them.
    some = taken(samples, np.arange(min(_LOOKED_AT, len(samples))), dtypes)
    outputs = [np.asarray(output) for output in simulation(some)[0]]
    ends = tuple(task.end for task in lesson.tasks)
    labels = samples.y if material.labelled else ()
    return Judge(samples=Samples(x=samples.x, y=labels), score=None, tasks=tasks_of(ends, labels, outputs))


def _normalizes(network: Network, how: Training, samples: int) -> bool:
    """Batch norms help convolutions of float networks, in batches that are large enough to have statistics."""
    if how.normalize is not None:
        return how.normalize
    convolutions = any(operator.name in _CONVOLUTIONS for operator in network.main.operators)
    return convolutions and min(how.batch_size, samples) >= _LEAST_NORMALIZED


def _folder(subject: Subject, context: Context, material: Material, parts: tuple[str, ...]) -> Path | None:
    """The subfolder for all that has the same result as this run."""
    if context.folder is None:
        return None
    samples = (material.train, material.held_out or Samples(x=()))
    held = (
        array
        for key, promise in sorted(subject.held.items())
        for array in (key, promise.pattern, f"{promise.centroids} {promise.bits}", *_arrays(promise))
    )
    name = fingerprint(
        (
            edgecompile.__version__,
            *parts,
            f"seed {context.seed}, score {context.score.name if context.score else None}",
            write(subject.network),
            write(subject.teacher) if subject.teacher is not None else None,
            *held,
            *(array for some in samples for array in (*some.x, *some.y)),
        )
    )
    return context.folder / f"training-{name}"


def _arrays(promise: Any) -> tuple[Array | None, ...]:
    return promise.zeros, promise.codes, promise.scales


def _result(subject: Subject, standing: Standing, course: Course) -> Subject:
    learner = course.learner
    if standing.diverged_at is not None:
        found = _diverged(standing, course)
        if standing.best is None:
            raise RejectedError(replace(found, severity=Severity.ERROR))
        tell_once(found, course.context.diagnostics)
    assert standing.best is not None
    learner.restore(standing.best)
    if course.how.normalize and standing.best_epoch > 0:
        _restate(standing, course)
    return replace(subject, network=learner.simulation.network(), held={**subject.held, **learner.simulation.held()})


def _restate(standing: Standing, course: Course) -> None:
    """Take batch norms' statistics again with the final weights and samples as they are, where that is better.

    It helps some networks and harms others, so the held-out samples decide.
    """
    assert standing.best is not None
    if course.judge.samples is None:
        return
    course.learner.restate(course.feed.plain(course.how.epochs))
    if not course.judge.better(course.judge.value(course.learner), standing.best_value):
        course.learner.restore(standing.best)


def _diverged(standing: Standing, course: Course) -> Diagnostic:
    how, at = course.how, standing.diverged_at or 0
    what = "weights grew beyond 1e18" if standing.grown else "the loss is no number any more"
    kept = (
        "the network from before training"
        if standing.best_epoch == 0
        else f"the one after epoch {how.before + standing.best_epoch}"
    )
    return Diagnostic(
        code="EC311",
        message=f"training stopped at step {at + 1} of {course.steps}: {what}",
        severity=Severity.WARNING,
        location=Location(detail=f"`{course.context.step}`") if course.context.step else None,
        notes=(
            f"epoch {how.epoch(standing.epoch + 1)}, learning rate {how.as_asked.learning_rate:g}",
            f"kept: {kept}" if standing.best is not None else "no state before it has what this step must make",
        ),
        help=(
            f"lower it: `learning_rate = {lower_rate(how):g}`",
            "look for huge numbers in the training samples, and in what your own functions in `augment` make of them",
        ),
    )
