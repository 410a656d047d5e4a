"""What a compression pass is, and where passes are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from edgecompile.compress.context import Context
from edgecompile.compress.subject import Subject
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.registry import module_of, names_of

Array = np.ndarray[Any, Any]
# What a pass can make of weights, and a later one can undo.
PROPERTIES = ("sparsity", "sharing", "few bits", "rank", "channels")
_PACKAGE = "edgecompile.compress.passes"


class Pass(Protocol):
    """A frozen dataclass; its fields (made with ``option.option``) are the keys of a recipe's step.

    The class docstring's first line is what ``edgecompile passes`` shows. ``phase``: ``model`` passes change the Keras
    model before it is a network (they have ``adapt`` in place of ``run``), ``float`` passes run on the float
    network, ``quantized`` ones after quantization, on integers. ``makes`` and ``keeps`` are names of PROPERTIES;
    what a step does not keep may not have been made before it. ``undone_help(property)`` is the option or order
    that preserves it.
    """

    phase: ClassVar[Literal["model", "float", "quantized"]]

    @property
    def makes(self) -> frozenset[str]:
        """Properties that hold afterwards, for these options."""

    @property
    def keeps(self) -> frozenset[str]:
        """Properties of earlier passes that survive, for these options."""

    @property
    def trains(self) -> bool:
        """Whether it needs training samples to do what it says."""

    def contradictions(self) -> tuple[Diagnostic, ...]:
        """What its options say against each other; told before anything is loaded."""

    def run(self, subject: Subject, context: Context) -> Subject:
        """The smaller subject. Raises EC3xx when it can touch nothing, or data it needs is missing."""

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """What the pass promised and does not hold of ``after`` (a bug of ours, or of a library)."""

    def undone_help(self, lost: str) -> str:
        """How to keep ``lost``, a property that this step would undo."""


class ModelPass(Pass, Protocol):
    """A pass of the phase ``model``."""

    def adapt(self, model: Any, answers: Callable[[Sequence[Array]], list[Array]], context: Context) -> None:
        """Change a ``tf_keras.Model``; ``answers`` gives its outputs for inputs, samples first."""


class _Passes(Mapping[str, "type[Pass]"]):
    """Passes by name; one is imported when it is looked at, as training rooms take their time."""

    def __getitem__(self, name: str) -> type[Pass]:
        if name not in names_of(_PACKAGE):
            raise KeyError(name)
        found: type[Pass] = getattr(module_of(_PACKAGE, name), "".join(part.title() for part in name.split("_")))
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(names_of(_PACKAGE))

    def __len__(self) -> int:
        return len(names_of(_PACKAGE))


def passes() -> Mapping[str, type[Pass]]:
    """Pass classes by the names that recipes call them: a module ``low_rank`` of ``passes/`` holds ``LowRank``."""
    return _Passes()
