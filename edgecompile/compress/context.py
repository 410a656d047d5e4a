"""What a pass may use besides the network: samples, a score, the target's quantizer, a listener."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgecompile.compress.record import Sensitivity
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.progress import Progress, Silent
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """Samples first: ``x`` one array for each input of the network, ``y`` one for each output or empty (no labels).

    ``y``: class indices ``int[n]`` (or ``int[n, h, w]``), one-hot rows, or values like the output's.
    """

    x: tuple[Array, ...]
    y: tuple[Array, ...] = ()

    def __len__(self) -> int:
        return len(self.x[0]) if self.x else 0

    def take(self, indices: Array | Sequence[int] | slice) -> Samples:
        """The samples at ``indices``, in that order."""
        return Samples(x=tuple(x[indices] for x in self.x), y=tuple(y[indices] for y in self.y))


@dataclass(frozen=True, kw_only=True, eq=False)
class Score:
    """How good outputs are, as the project measures it: ``of(outputs, samples) -> float``."""

    name: str
    of: Callable[[Sequence[Array], Samples], float]
    higher_is_better: bool = True

    def better(self, one: float, other: float) -> bool:
        """Whether ``one`` beats ``other``."""
        return one > other if self.higher_is_better else one < other


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """Given to every pass. ``train``, ``validation``, ``calibration`` share no test sample; each may be None.

    ``score`` needs labels (or is agreement with the teacher where there are none). ``quantize`` turns a float network
    into the integer network of the first scheme asked for, by TensorFlow's quantizer, calibrated on
    ``calibration``; it is slow (seconds). ``per_tensor_dense``: some target wants one scale for a whole
    FULLY_CONNECTED. ``quantize_partly`` does the same but for operators that make tensors of the names given, which
    stay in float; None where some target takes no float operators. ``quantize_wide`` gives the int16x8 network, in
    which operators that have no such form may stay in float; None where some target runs no int16 operators inside an
    int8 network. ``base`` is where names of the
    user's files start. ``folder`` is where training keeps its
    checkpoints between runs. ``teachers`` are the model files that ``distill`` steps name, as float networks, made when
    asked for. ``diagnostics`` and ``sensitivities`` grow; the latter are of the running step. So is ``taken_over``: in
    words, what an earlier run had done of it. ``step``: the running step, as the report calls it.
    """

    quantize: Callable[[Network], Network]
    quantize_partly: Callable[[Network, Sequence[str]], Network] | None = None
    quantize_wide: Callable[[Network], Network] | None = None
    train: Samples | None = None
    validation: Samples | None = None
    calibration: Samples | None = None
    score: Score | None = None
    per_tensor_dense: bool = False
    seed: int = 0
    base: Path = Path()
    folder: Path | None = None
    teachers: Mapping[str, Callable[[], Network]] = field(default_factory=dict)
    progress: Progress = field(default_factory=Silent)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    sensitivities: list[Sensitivity] = field(default_factory=list)
    taken_over: list[str] = field(default_factory=list)
    step: str = ""

    def scale_axis(self, operator: str, axis: int | None) -> int | None:
        """The axis along which a site's quantization scales may differ; None: one scale for the tensor."""
        return None if self.per_tensor_dense and operator == "FULLY_CONNECTED" else axis
