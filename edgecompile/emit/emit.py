"""Write what the target's toolchain takes: the emitters that its profile names, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

from edgecompile.core.artifact import Artifact
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.errors import bad_input, did_you_mean
from edgecompile.core.registry import modules_of
from edgecompile.emit import front_end
from edgecompile.emit.asked import with_asked
from edgecompile.emit.emission import Emission, Golden, Layout

__all__ = ["Emission", "Golden", "Layout", "emit", "emitters", "review", "with_asked"]


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """Run every emitter that ``target.emit`` names; gives the files written into ``folder``, in order.

    Raises BadInputError EC621 for an emitter that does not exist, EC620 when the model's name
    makes no C identifier; RejectedError EC622 for an operator that TensorFlow Lite Micro has no name for.
    """
    known = known_of(emission.target.emit, emission.target.id)
    written: dict[str, Artifact] = {}
    for name in emission.target.emit:
        written |= {artifact.path: artifact for artifact in known[name].emit(emission, folder)}
    return tuple(written.values())


def review(emission: Emission) -> tuple[Diagnostic, ...]:
    """What emitters have to say before anything is written, each thing once.

    Raises EC621, and what the ``review`` functions of the emitters raise.
    """
    known = known_of(emission.target.emit, emission.target.id)
    asked: dict[Callable[[Emission], tuple[Diagnostic, ...]], None] = {}
    for name in emission.target.emit:
        if hasattr(known[name], "review"):
            asked[known[name].review] = None
    told = (*(diagnostic for ask in asked for diagnostic in ask(emission)), *front_end.review(emission))
    return tuple(dict.fromkeys(told))


def known_of(names: Iterable[str], target_id: str) -> dict[str, ModuleType]:
    """Emitters by name. Raises EC621 when one of ``names`` does not exist."""
    known = emitters()
    for name in names:
        if name not in known:
            raise bad_input(
                "EC621",
                f"there is no emitter `{name}`",
                f"target `{target_id}`",
                notes=(f"emitters: {', '.join(known)}",),
                help=did_you_mean(name, known),
            )
    return known


def emitters() -> dict[str, ModuleType]:
    """Emitters by name: each module of ``emit/emitters`` has a ``NAME`` and ``emit(emission, folder)``."""
    return {module.NAME: module for module in modules_of("edgecompile.emit.emitters")}
