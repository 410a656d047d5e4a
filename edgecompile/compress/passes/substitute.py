"""Replace activations that a target does not take, or pays dearly for, by ones that cost it nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from edgecompile.compress.context import Context
from edgecompile.compress.contract import PROPERTIES
from edgecompile.compress.option import option
from edgecompile.compress.promises import broken_promises
from edgecompile.compress.structure.activations import (
    KINDS,
    SUBSTITUTES,
    Activation,
    activations_of,
    substituted,
)
from edgecompile.compress.subject import Subject
from edgecompile.compress.training.options import Trained
from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network

_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Substitute(Trained):
    """Replace activations by simpler ones, and train what is behind them to make up for it.

    Swish, GELU and their like are several operators, or tables, on devices that have ReLU for nothing. The
    uncompressed network is the teacher, so no labels are needed. Activations that make the network's outputs stay.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "float"

    to: str = option("RELU", "what takes their place", choices=SUBSTITUTES)
    only: tuple[str, ...] = option((), "which are replaced; none named: all", kind="texts", choices=KINDS)

    @property
    def makes(self) -> frozenset[str]:
        """Nothing that could be undone."""
        return frozenset()

    @property
    def keeps(self) -> frozenset[str]:
        """All that earlier passes made: weights change by training only, which is bound by what is held."""
        return frozenset(PROPERTIES)

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with other activations, trained further where there are training samples.

        Raises EC354 where there is none to replace, and what training raises. Adds EC353, what was replaced.
        """
        main = subject.network.main
        chosen = [one for one in activations_of(main) if one.kind != self.to and one.kind in (self.only or KINDS)]
        if not chosen:
            raise self._nothing(subject.network)
        context.diagnostics.append(self._told(subject.network, chosen))
        changed = replace(
            subject,
            network=substituted(subject.network, chosen, self.to),
            teacher=subject.teacher or subject.network,
        )
        if not self.epochs or context.train is None:
            return changed
        from edgecompile.compress.training.trainer import train

        return train(changed, self.training(), context)

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """EC307 where held weights changed otherwise than they may."""
        return broken_promises(before, after)

    def undone_help(self, lost: str) -> str:
        """Never asked: nothing is undone."""
        return f"`substitute` keeps the {lost}"

    def _told(self, network: Network, chosen: Sequence[Activation]) -> Diagnostic:
        counts = Counter(one.kind for one in chosen)
        replaced = ", ".join(f"{number} {kind}" for kind, number in counts.items())
        layers = [f"`{short_name(network.main.tensors[one.y].name)}`" for one in chosen[:_SHOWN]]
        more = f" and {len(chosen) - _SHOWN} more" if len(chosen) > _SHOWN else ""
        return Diagnostic(
            code="EC353",
            message=f"`substitute` put {self.to} in the place of {replaced}",
            severity=Severity.NOTE,
            notes=(f"layers: {', '.join(layers)}{more}",),
        )

    def _nothing(self, network: Network) -> EdgecompileError:
        found = Counter(one.kind for one in activations_of(network.main))
        listed = ", ".join(f"{number} {kind}" for kind, number in found.items()) or "none"
        return rejected(
            "EC354",
            f"`substitute` finds no activation to put {self.to} in the place of",
            Location(detail="`substitute`"),
            (
                f"replaced are: {', '.join(kind for kind in self.only or KINDS if kind != self.to)}",
                f"found in the network, its outputs aside: {listed}",
            ),
            ("name others in `only`", "or take `substitute` out of the recipe"),
        )
