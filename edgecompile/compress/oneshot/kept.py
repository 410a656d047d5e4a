"""One-shot results on the disk, found by what determines them: a build killed in training does not repeat them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

import edgecompile
from edgecompile.compress.context import Context, Samples
from edgecompile.compress.oneshot.sequence import Plan
from edgecompile.compress.sites import with_constants
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.subject import Held, Subject
from edgecompile.compress.training import checkpoint
from edgecompile.ir.network import Network
from edgecompile.ir.writer import write

Array = np.ndarray[Any, Any]
TOLD = "one-shot weights"


def once(
    subject: Subject, plans: Mapping[str, Plan], samples: Samples, context: Context, work: Callable[[], Subject]
) -> Subject:
    """What ``work`` gives for the subject, from ``context.folder`` where a run before has left it there.

    ``work`` changes values of constants and what is held, and is determined by the other arguments. What was found is
    added to ``context.taken_over``; a damaged file is told of (EC317).
    """
    if context.folder is None:
        return work()
    folder = context.folder / f"oneshot-{_identity(subject, plans, samples, context)}"
    before = own_constants(subject.network)
    state = checkpoint.restore(folder, context.diagnostics)
    if state is not None:
        context.taken_over.append(TOLD)
        return replace(subject, network=with_constants(before, _numbered(state)), held=_held(state))
    after = work()
    changed = _changed(before, after.network)
    if changed is not None:
        checkpoint.save(folder, _state(changed, after.held))
    return after


def _identity(subject: Subject, plans: Mapping[str, Plan], samples: Samples, context: Context) -> str:
    validation = context.validation or Samples(x=())
    return checkpoint.fingerprint(
        (
            edgecompile.__version__,
            f"seed {context.seed}, score {context.score.name if context.score else None}",
            *(f"{key} {plan}" for key, plan in sorted(plans.items())),
            write(subject.network),
            *(part for key, promise in sorted(subject.held.items()) for part in (key, *_parts(promise))),
            *(array for some in (samples, validation) for array in (*some.x, *some.y)),
        )
    )


def _parts(promise: Held) -> tuple[Array | str | None, ...]:
    words = f"{promise.pattern} {promise.centroids} {promise.bits}"
    return words, promise.zeros, promise.codes, promise.scales


def _changed(before: Network, after: Network) -> dict[int, Array] | None:
    """Constants with other values, by tensor; None where more than values changed."""
    old, new = before.main, after.main
    if old.operators != new.operators or len(old.tensors) != len(new.tensors):
        return None
    pairs = enumerate(zip(old.tensors, new.tensors, strict=True))
    fresh = {index: two.array for index, (one, two) in pairs if two.buffer.data != one.buffer.data}
    return {index: array for index, array in fresh.items() if array is not None}


def _state(changed: Mapping[int, Array], held: Mapping[str, Held]) -> checkpoint.State:
    arrays = {f"constant {index}": array for index, array in changed.items()}
    promises = []
    for number, (key, promise) in enumerate(held.items()):
        promises.append([key, promise.pattern, promise.centroids, promise.bits])
        there = {name: getattr(promise, name) for name in ("zeros", "codes", "scales")}
        arrays |= {f"{name} {number}": array for name, array in there.items() if array is not None}
    return checkpoint.State(epoch=0, numbers={"held": promises}, arrays=arrays)


def _numbered(state: checkpoint.State) -> dict[int, Array]:
    parts = (name.split() for name in state.arrays)
    return {int(number): state.arrays[f"{kind} {number}"] for kind, number in parts if kind == "constant"}


def _held(state: checkpoint.State) -> dict[str, Held]:
    return {
        key: Held(
            pattern=pattern,
            centroids=centroids,
            bits=bits,
            zeros=state.arrays.get(f"zeros {number}"),
            codes=state.arrays.get(f"codes {number}"),
            scales=state.arrays.get(f"scales {number}"),
        )
        for number, (key, pattern, centroids, bits) in enumerate(state.numbers["held"])
    }
