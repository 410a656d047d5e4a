"""Would every operator of a network run on a target, and where."""

from __future__ import annotations

from dataclasses import dataclass

from edgecompile.core.diagnostic import Diagnostic
from edgecompile.core.target import Target
from edgecompile.ir.network import Network
from edgecompile.ir.partition import Partition, cut, kept
from edgecompile.legalize.context import Context, contexts_of
from edgecompile.legalize.diagnose import Refusal, diagnose
from edgecompile.legalize.judge import Judgement, judge
from edgecompile.legalize.naming import layer_of
from edgecompile.legalize.status import status_of
from edgecompile.legalize.whole import refused_whole

NOWHERE = "nowhere"


@dataclass(frozen=True, kw_only=True)
class Placed:
    """Where one operator runs: ``where`` is the target's accelerator, its fallback, or ``nowhere``.

    ``source`` cites the clause that decided. ``reason`` None: it runs where it should. ``status`` is what the target's
    own compiler says, in its words; empty where the profile does not know them. ``basis`` is how the clause is known.
    """

    operator: int
    name: str
    layer: str
    where: str
    source: str = ""
    reason: str | None = None
    subgraph: int = 0
    status: str = ""
    basis: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """``partitions`` is how many pieces the accelerator's part falls into, ``partitions_kept`` how many of
    them the target runs. ``operators_on_cpu`` counts the operators that fall back."""

    placements: tuple[Placed, ...]
    partitions: int
    operators_on_cpu: int
    diagnostics: tuple[Diagnostic, ...]
    partitions_kept: int = 0


def check(network: Network, target: Target, model_name: str) -> Verdict:
    """Every operator of every subgraph against every clause of the target.

    ``model_name`` is what diagnostics call the file. Refusals are warnings where the target
    has a fallback, errors where it has none. Raises BadInputError EC510 for a profile with an unknown rule.
    """
    placements: list[Placed] = []
    refusals: list[Refusal] = []
    found = running = 0
    whole = refused_whole(network, target)
    words = whole.said if whole is not None else ""
    for position, subgraph in enumerate(network.subgraphs):
        contexts = contexts_of(network, subgraph, target)
        judgements = [judge(context) for context in contexts]
        partitions = cut(subgraph, [judgement.accepted and not words for judgement in judgements])
        chosen = kept(partitions, target.placement)
        found += sum(partition.accelerated for partition in partitions)
        running += len(chosen)
        new = _refusals(position, contexts, judgements, chosen, words)
        refusals += new
        placements += _placed(position, contexts, judgements, new, target)
    return Verdict(
        placements=tuple(placements),
        partitions=found,
        partitions_kept=running,
        operators_on_cpu=sum(placed.where == target.placement.fallback for placed in placements),
        diagnostics=diagnose(refusals, target, model_name, len(placements)),
    )


def _refusals(
    position: int,
    contexts: tuple[Context, ...],
    judgements: list[Judgement],
    chosen: tuple[Partition, ...],
    whole: str,
) -> list[Refusal]:
    """What does not run on the accelerator: by a rule of its own, with its partition, or with the whole model."""
    running = {index for partition in chosen for index in partition.operators}
    return [
        Refusal(context=context, judgement=judgement, subgraph=position, whole=whole)
        for context, judgement in zip(contexts, judgements, strict=True)
        if context.index not in running
    ]


def _placed(
    position: int,
    contexts: tuple[Context, ...],
    judgements: list[Judgement],
    refusals: list[Refusal],
    target: Target,
) -> list[Placed]:
    placement = target.placement
    refused = {refusal.context.index: refusal for refusal in refusals}
    whole = refusals[0].whole if refusals else ""
    return [
        Placed(
            operator=context.index,
            name=context.operator.label,
            layer=layer_of(context),
            where=(placement.fallback or NOWHERE) if context.index in refused else placement.accelerator,
            source=judgement.clause.source if judgement.clause else "",
            reason=refused[context.index].reason if context.index in refused else None,
            subgraph=position,
            status=status_of(context, judgement, context.index not in refused, target.statuses, whole),
            basis=judgement.clause.basis if judgement.clause else "",
        )
        for context, judgement in zip(contexts, judgements, strict=True)
    ]
