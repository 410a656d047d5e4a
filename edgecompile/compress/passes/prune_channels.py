"""Take channels out of the float network for good: a smaller dense network that every kernel runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from edgecompile.compress.context import Context
from edgecompile.compress.option import option
from edgecompile.compress.structure.channel_pass import ChannelPass
from edgecompile.compress.structure.counts import count
from edgecompile.compress.structure.groups import Grouping, group
from edgecompile.compress.structure.own import own_constants
from edgecompile.compress.structure.promises import still_held
from edgecompile.compress.structure.prune import Pruned, prune
from edgecompile.compress.subject import Distillation, Subject
from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.core.units import counted, parse_size
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network

Array = np.ndarray[Any, Any]
_USUAL = 0.5  # of the multiply-accumulates
# What `scripts/bench structure kws` was measured with: soft answers of the larger network, without labels.
_LESSON = Distillation(teacher_weight=1.0, temperature=4.0)
_SHOWN = 5
_WORDS = {
    "macs": "multiply-accumulates",
    "parameters": "parameters",
    "channels": "channels",
    "bytes": "bytes of weights",
}


@dataclass(frozen=True, kw_only=True)
class PruneChannels(ChannelPass):
    """Take out the channels that matter least for what they cost, fit the rest to their outputs, and train.

    Channels go through residuals, depthwise convolutions, concatenations and flattening as a whole. Of several
    goals all are met. Training learns from the network before alone, unless options or a `distill` step say otherwise;
    `augment = ["mixup"]` gives it more to learn from. Keeps rank. Hassibi and Stork 1992 (`refit`), Molchanov et al.
    2019 (`outputs`), He et al. 2017 (reconstruction).
    """

    macs: float | None = option(
        None, "share of the multiply-accumulates to keep; 0.5 without any goal", above=0, below=1, kind="number"
    )
    parameters: float | None = option(None, "share of the parameters to keep", above=0, below=1, kind="number")
    channels: float | None = option(
        None, "share of the channels that can be taken out to keep", above=0, below=1, kind="number"
    )
    flash: str | int | None = option(None, "most bytes of weights when they are int8", kind="size")
    least: int = option(4, "channels that are left everywhere", minimum=1)
    least_share: float = option(0.25, "share of each layer's channels that is left", minimum=0, below=1)
    multiple_of: int = option(4, "numbers of channels are multiples of this, as kernels like them", minimum=1)
    learning_rate: float = option(1e-2, "step size at its highest, relative to the size of the weights", above=0)
    epochs: int = option(12, "how often training sees every sample; 0: no training", minimum=0, maximum=10_000)

    step: ClassVar[str] = "prune_channels"

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with a smaller network.

        Raises RejectedError EC330 where no channel can be taken out, EC331 where the goal leaves fewer than
        ``least``; and what training raises. Adds EC335 to the diagnostics when there are no samples.
        """
        network = own_constants(subject.network)
        if not (grouping := group(network)).groups:
            raise _nothing(grouping)
        x = self.samples(context)
        for measure, goal in self._goals(network, grouping).items():
            network = self._pruned(network, measure, goal, x, context)
        smaller = replace(subject, network=network, held=still_held(subject, network))
        if not self.epochs:
            return smaller
        from edgecompile.compress.training.trainer import train

        taught = replace(smaller, distillation=_lesson(subject))
        return replace(train(taught, self.training(), context), distillation=subject.distillation)

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """EC331 where the network is larger than was asked."""
        goals = self._goals(before.network, None)
        left = {measure: count(after.network, measure) for measure in goals}
        return tuple(
            Diagnostic(code="EC331", message=f"{left[measure]} {_WORDS[measure]} are left, and {goal:.0f} were asked")
            for measure, goal in goals.items()
            if left[measure] > goal
        )

    def _goals(self, network: Network, grouping: Grouping | None) -> dict[str, float]:
        """Measure to the most that may be left of it, in its units; channels only with a grouping."""
        goals: dict[str, float] = {}
        ratios = {"macs": self.macs, "parameters": self.parameters}
        if not any((self.macs, self.parameters, self.channels, self.flash)):
            ratios["macs"] = _USUAL
        for measure, ratio in ratios.items():
            if ratio is not None:
                goals[measure] = ratio * count(network, measure)
        if self.channels is not None and grouping is not None:
            goals["channels"] = self.channels * sum(len(one.channels) for one in grouping.groups)
        if self.flash is not None:
            goals["bytes"] = parse_size(self.flash)
        return goals

    def _pruned(
        self, network: Network, measure: str, goal: float, x: Sequence[Array] | None, context: Context
    ) -> Network:
        grouping = group(network)
        pruned = prune(
            network,
            grouping,
            self.importances(network, grouping, x, context),
            measure=measure,
            goal=goal,
            least=self.least,
            multiple=self.multiple_of,
            share=self.least_share,
        )
        if not pruned.choice.reached:
            raise self._out_of_reach(measure, pruned, grouping)
        return self.fitted(network, pruned.network, pruned.kept, x, context)

    def _out_of_reach(self, measure: str, pruned: Pruned, grouping: Grouping) -> EdgecompileError:
        word = _WORDS[measure]
        return rejected(
            "EC331",
            f"`prune_channels` cannot take out enough channels for the {word} asked",
            Location(detail="`prune_channels`"),
            (
                f"limit: {pruned.choice.goal:.0f} {word}; found: {pruned.choice.total:.0f} at the least",
                f"layers keep {counted(self.least, 'channel')} (`least`) and {self.least_share:g} of its own "
                "(`least_share`)",
                f"numbers of channels are multiples of {self.multiple_of} (`multiple_of`)",
                *_told(grouping),
            ),
            (
                "ask for less",
                "lower `least`, `least_share` or `multiple_of`",
                "add `low_rank`, which splits layers in two",
            ),
        )


def _lesson(subject: Subject) -> Distillation:
    """What training learns by: as an earlier step said, else from soft answers of the network before alone."""
    return _LESSON if subject.distillation == Distillation() else subject.distillation


def _nothing(grouping: Grouping) -> EdgecompileError:
    return rejected(
        "EC330",
        "`prune_channels` finds no channel that can be taken out",
        Location(detail="`prune_channels`"),
        _told(grouping) or ("the network has no layer with weights",),
        ("take `prune_channels` out of the recipe", "`prune` makes zeros in any layer with weights"),
    )


def _told(grouping: Grouping) -> tuple[str, ...]:
    """Why layers must keep their channels, a line for each, the first few."""
    lines = [f"`{short_name(name)}` keeps its channels: {why}" for name, why in grouping.frozen.items()]
    more = (f"and {counted(len(lines) - _SHOWN, 'layer')} more",) if len(lines) > _SHOWN else ()
    return (*lines[:_SHOWN], *more)
