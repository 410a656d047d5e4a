"""What compression passes hand on: the network, and what must stay true of its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
# Where zeros lie: anywhere; at least two in every four along the input channels; or whole blocks of
# two output by two input channels, for each kernel position: the forms that kernels execute.
PATTERNS = ("unstructured", "2:4", "block2x2")


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """What passes promised about one weight tensor; every later pass and all training keep it.

    ``zeros`` (bool, shape of the weights) is True where the weight stays zero; None: none need.
    ``codes`` (int8, shape of the weights) and ``scales`` (float32, one for each slice of the site's
    scale axis, or a single one) give the stored integers: the float weights in the network equal
    ``scales * codes``, bit for bit, and the flatbuffer gets these codes. ``centroids`` bounds
    the number of distinct codes of the tensor (0: as many as ``bits`` allow).
    """

    zeros: Array | None = None
    pattern: str = "unstructured"
    codes: Array | None = None
    scales: Array | None = None
    centroids: int = 0
    bits: int = 8

    @property
    def is_shared(self) -> bool:
        """Whether the tensor's integers are bound: shared values, or fewer bits than a byte has."""
        return self.codes is not None


NOTHING = Held()


@dataclass(frozen=True, kw_only=True)
class Distillation:
    """What a network learns from its teacher, unless a step says otherwise.

    ``teacher_weight`` is the teacher's share of the loss (the labels have the rest); ``temperature`` softens both
    answers; ``feature_weight`` is for inner tensors, those of ``features`` by name or, when that is empty,
    some on which teacher and student agree in name and shape.
    """

    teacher_weight: float = 0.9
    temperature: float = 2.0
    feature_weight: float = 0.0
    features: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Subject:
    """A network on its way through the recipe.

    ``network`` is float32 with batch norms folded until the recipe's quantized part begins, then
    integer. ``held`` is by site key (see ``sites.py``). ``teacher`` is what fine-tuning learns from beside
    labels, or in place of them: the network before compression unless a step named another. ``distillation`` is how.
    ``origin`` is the float subject that an integer network was quantized from; None for a float one. ``reordered``:
    channels lie in another order than in the given model, ``teacher_reordered``: in the teacher as well.
    """

    network: Network
    held: Mapping[str, Held] = field(default_factory=dict)
    teacher: Network | None = None
    distillation: Distillation = Distillation()
    origin: Subject | None = None
    reordered: bool = False
    teacher_reordered: bool = False

    def with_held(self, changes: Mapping[str, Held]) -> Subject:
        """The subject with some promises replaced."""
        return replace(self, held={**self.held, **changes})
