"""Take out the few channels of a layer that cost a whole group of the device's array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from edgecompile.compress.context import Context
from edgecompile.compress.option import option
from edgecompile.compress.structure.channel_pass import ChannelPass, ranked_by
from edgecompile.compress.structure.groups import Group, Grouping, group
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.structure.promises import still_held
from edgecompile.compress.structure.prune import kept_for
from edgecompile.compress.structure.remove import remove
from edgecompile.compress.subject import Subject
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.units import counted
from edgecompile.ir.costs import macs
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network

_SHOWN = 5
# The axis of the output channels in the weights of operators that an array computes in groups.
_COMPUTED = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "TRANSPOSE_CONV": 0}


@dataclass(frozen=True, kw_only=True)
class FillChannels(ChannelPass):
    """Take out channels beyond the last full group that an array computes at a time, fit the rest, and train.

    An array that computes 64 output channels at a time takes as long for 72 as for 128. Layers within one group keep
    what they have. Keeps rank. Which channels matter least is told as `prune_channels` tells it.
    """

    multiple_of: int = option(64, "output channels that the device computes at a time", minimum=2)
    most: float = option(0.25, "share of a layer's channels that is given up at most", above=0, below=1)
    importance: str = ranked_by("outputs")
    epochs: int = option(4, "how often training sees every sample; 0: no training", minimum=0, maximum=10_000)

    step: ClassVar[str] = "fill_channels"

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with fuller groups; as it was, without training, where there is nothing to take out.

        Raises what training raises. Adds EC355, what went and what it saves, and EC335 where there are no samples.
        """
        network = own_constants(subject.network)
        grouping = group(network)
        beyond = [self._beyond(one) for one in grouping.groups]
        if not any(beyond):
            context.diagnostics.append(_told("`fill_channels` finds no layer just beyond a full group", ()))
            return subject
        filled = self._filled(network, grouping, beyond, context)
        context.diagnostics.append(self._saved(network, filled, grouping, beyond))
        smaller = replace(subject, network=filled, held=still_held(subject, filled))
        if not self.epochs:
            return smaller
        from edgecompile.compress.training.trainer import train

        return train(smaller, self.training(), context)

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """EC331 where a layer still lies just beyond a full group."""
        left = [one.makers[0] for one in group(own_constants(after.network)).groups if self._beyond(one)]
        return tuple(
            Diagnostic(code="EC331", message=f"`{short_name(name)}` still has channels beyond a full group")
            for name in left
        )

    def _beyond(self, one: Group) -> int:
        """Channels to take out of a group."""
        extra = len(one.channels) % self.multiple_of
        return extra if len(one.channels) > self.multiple_of and extra <= self.most * len(one.channels) else 0

    def _filled(self, network: Network, grouping: Grouping, beyond: Sequence[int], context: Context) -> Network:
        x = self.samples(context)
        importances = self.importances(network, grouping, x, context)
        gone = [
            np.argsort(importance, kind="stable")[:count].tolist()
            for importance, count in zip(importances, beyond, strict=True)
        ]
        kept = kept_for(network, grouping, gone)
        return self.fitted(network, remove(network, kept), kept, x, context)

    def _saved(self, before: Network, after: Network, grouping: Grouping, beyond: Sequence[int]) -> Diagnostic:
        first, then = (_whole_groups(network, self.multiple_of) for network in (before, after))
        taken = [(one, count) for one, count in zip(grouping.groups, beyond, strict=True) if count]
        layers = [
            f"`{short_name(one.makers[0])}` {len(one.channels)} -> {len(one.channels) - count}" for one, count in taken
        ]
        more = (f"and {len(layers) - _SHOWN} groups of layers more",) if len(layers) > _SHOWN else ()
        share = 1 - then / first if first else 0.0
        return _told(
            f"`fill_channels` took {counted(sum(beyond), 'channel')} out: "
            f"{100 * share:.1f} % less to compute in whole groups",
            (*layers[:_SHOWN], *more),
        )


def _told(message: str, notes: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(code="EC355", severity=Severity.NOTE, message=message, notes=notes)


def _whole_groups(network: Network, multiple: int) -> float:
    """Multiply-accumulates, with the output channels of convolutions and dense layers rounded up to whole groups."""
    total = 0.0
    for operator in network.main.operators:
        count = float(macs(network.main, operator) or 0)
        weights = network.main.inputs_of(operator)[1] if len(operator.inputs) > 1 else None
        if operator.name in _COMPUTED and weights is not None:
            outputs = weights.shape[_COMPUTED[operator.name]]
            count *= -(-outputs // multiple) * multiple / outputs
        total += count
    return total
