"""How far the artifact's outputs are from the float model's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.libs.affine import Port
from edgecompile.libs.litert import Outputs

Array = np.ndarray[Any, Any]

# An error of half the outputs' own spread carries no more of the answer than noise would; below 0.8 every fifth
# answer differs, where int8 models that were calibrated well lose one in a hundred.
MAX_RELATIVE_ERROR = 0.5
MIN_ARGMAX_AGREEMENT = 0.8


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """One output against the float model's, over all samples and elements.

    ``max_steps``, ``mean_steps``: |difference| in steps of the output's scale, None for outputs
    that are not quantized. ``argmax_agreement``: share of rows (last axis) whose largest
    element is at the same place, None for rows of one. ``relative_error``: root mean squared
    difference over the standard deviation of the float output, None where that is 0.
    """

    output: str
    max_steps: float | None
    mean_steps: float | None
    max_difference: float
    mean_difference: float
    argmax_agreement: float | None
    relative_error: float | None

    @property
    def is_wild(self) -> bool:
        """So far apart that something other than rounding must be the matter."""
        far = self.relative_error is not None and self.relative_error > MAX_RELATIVE_ERROR
        different = self.argmax_agreement is not None and self.argmax_agreement < MIN_ARGMAX_AGREEMENT
        return far and (different or self.argmax_agreement is None)

    def to_dict(self) -> dict[str, Any]:
        """A row of the report's table, to six significant digits."""
        return {
            key: float(f"{value:.6g}") if isinstance(value, float) else value for key, value in asdict(self).items()
        }


def compare(outputs: Outputs, reference: Sequence[Array], name: str = "the model") -> tuple[Agreement, ...]:
    """The artifact's outputs against ``reference``, the float model's in the same order, samples first.

    Raises RejectedError EC713 when number or shapes of outputs differ.
    """
    real = outputs.real()
    _check_shapes(real, reference, outputs.outputs, name)
    triples = zip(real, reference, outputs.outputs, strict=True)
    return tuple(agreement(output, wanted, port) for output, wanted, port in triples)


def agreement(output: Array, wanted: Array, port: Port) -> Agreement:
    """One output, real values, against the float model's of the same number of elements."""
    wanted = wanted.reshape(output.shape).astype(np.float64)
    difference = np.abs(output.astype(np.float64) - wanted)
    worst, mean = (float(difference.max()), float(difference.mean())) if difference.size else (0.0, 0.0)
    spread = float(wanted.std()) if wanted.size else 0.0
    return Agreement(
        output=port.name,
        max_steps=worst / port.scale if port.quantized else None,
        mean_steps=mean / port.scale if port.quantized else None,
        max_difference=worst,
        mean_difference=mean,
        argmax_agreement=_argmax_agreement(output, wanted),
        relative_error=float(np.sqrt(np.mean(difference**2))) / spread if spread else None,
    )


def _argmax_agreement(output: Array, wanted: Array) -> float | None:
    if output.ndim < 2 or output.shape[-1] < 2 or not output.size:
        return None
    return float(np.mean(output.argmax(axis=-1) == wanted.argmax(axis=-1)))


def _check_shapes(real: Sequence[Array], reference: Sequence[Array], ports: Sequence[Port], name: str) -> None:
    wanted = [list(array.shape) for array in reference]
    found = [list(array.shape) for array in real]
    same = len(wanted) == len(found) and all(
        a.size == b.size and len(a) == len(b) for a, b in zip(real, reference, strict=True)
    )
    if not same:
        raise _misfit(wanted, found, [port.name for port in ports], name)


def _misfit(wanted: list[list[int]], found: list[list[int]], names: list[str], name: str) -> EdgecompileError:
    return rejected(
        "EC713",
        "the artifact has other outputs than the model it was made from",
        name,
        notes=(f"the float model gives {wanted}", f"the artifact gives {found} ({', '.join(names)})"),
        help=("give the model's outputs one fixed size each; `edgecompile inspect` shows those of the artifact",),
    )
