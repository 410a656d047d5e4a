"""What all passes that take channels out share: how channels are ranked, how readers are fitted, what survives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from edgecompile.compress.context import Context
from edgecompile.compress.option import option
from edgecompile.compress.structure.groups import Grouping
from edgecompile.compress.structure.importance import by_magnitude, by_outputs
from edgecompile.compress.structure.remove import Kept
from edgecompile.compress.structure.samples import samples_for
from edgecompile.compress.training.options import Trained
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
_SAMPLES, _FITTED = 2048, 1024


def ranked_by(default: str) -> Any:
    """The option that says what ranks channels."""
    return option(
        default,
        "what tells how much a channel matters: `refit`, how far outputs move when the layers that read it are fitted "
        "to do without it; `outputs`, when they are not; `magnitude`, its weights",
        choices=("refit", "outputs", "magnitude"),
    )


@dataclass(frozen=True, kw_only=True)
class ChannelPass(Trained):
    """The options and the promise of a pass that takes out channels; ``step`` is the pass' name."""

    importance: str = ranked_by("refit")
    reconstruct: bool = option(True, "fit the layers that read fewer channels to their outputs on calibration data")

    phase: ClassVar[Literal["float", "quantized"]] = "float"
    step: ClassVar[str]

    @property
    def makes(self) -> frozenset[str]:
        """Fewer channels."""
        return frozenset({"channels"})

    @property
    def keeps(self) -> frozenset[str]:
        """Layers stay split in two; zeros and shared values do not survive reconstruction and slicing."""
        return frozenset({"rank", "channels"})

    def undone_help(self, lost: str) -> str:
        """Zeros and shared values are made after the channels went."""
        return f"put `{self.step}` before the step that makes {lost}"

    def samples(self, context: Context) -> list[Array] | None:
        """What channels are ranked on; None, and EC335 in the diagnostics, where there are none."""
        x = samples_for(context, _SAMPLES, self.step, "channels are ranked by their weights, and none is fitted")
        return None if x is None else list(x)

    def importances(
        self, network: Network, grouping: Grouping, x: Sequence[Array] | None, context: Context
    ) -> tuple[Array, ...]:
        """How much each channel matters, an array for each group; by weights where there are no samples."""
        if x is None or self.importance == "magnitude":
            return by_magnitude(network, grouping)
        from edgecompile.compress.structure.sensitivity import contributions

        found = contributions(network, x, seed=context.seed)
        if self.importance == "outputs":
            return by_outputs(network, grouping, found)
        from edgecompile.compress.structure.refit import by_refit

        return by_refit(network, grouping, found, _some(x), context.seed)

    def fitted(
        self,
        before: Network,
        smaller: Network,
        kept: Kept,
        x: Sequence[Array] | None,
        context: Context,
    ) -> Network:
        """The smaller network with its readers fitted to what they gave before, where that is asked and can be."""
        if x is None or not self.reconstruct:
            return smaller
        from edgecompile.compress.structure.reconstruct import reconstruct

        return reconstruct(before, smaller, kept, _some(x), context.seed)


def _some(x: Sequence[Array]) -> list[Array]:
    return [part[:_FITTED] for part in x]
