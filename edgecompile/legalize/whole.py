"""What makes the target's own compiler take nothing of a model, whatever it says of single operators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.target import Target
from edgecompile.ir.network import Network
from edgecompile.legalize.context import Context, contexts_of
from edgecompile.legalize.judge import Failure, failures_of
from edgecompile.legalize.rules import remedy, sentence

# A file that cannot be read is not looked at any further, one without quantized values is not given to an interpreter.
ORDER = ("read", "none", "any")


@dataclass(frozen=True, kw_only=True)
class WholeRefusal:
    """``said`` are the compiler's words; ``context`` is the first operator that breaks the rule, in that subgraph."""

    said: str
    failure: Failure
    context: Context
    subgraph: int


def refused_whole(network: Network, target: Target) -> WholeRefusal | None:
    """The first cause for which the compiler takes nothing; None where the profile knows none.

    ``[statuses.whole]`` has the compiler's words for rules that no operator keeps (``none``) or one breaks (``any``);
    under ``read`` those that every operator of every subgraph keeps, or the file is not read.
    """
    if target.statuses is None or not network.main.operators:
        return None
    by_subgraph = [contexts_of(network, subgraph, target) for subgraph in network.subgraphs]
    for many in ORDER:
        looked_at = by_subgraph if many == "read" else by_subgraph[:1]
        for rule, said in target.statuses.whole.get(many, {}).items():
            limit = target.statuses.first.get(rule, True)
            found = [
                WholeRefusal(said=_filled(said, context), failure=failures[0], context=context, subgraph=position)
                for position, contexts in enumerate(looked_at)
                for context in contexts
                if (failures := failures_of(context, {rule: limit}))
            ]
            if found and (many != "none" or len(found) == len(network.main.operators)):
                return found[0]
    return None


def _filled(said: str, context: Context) -> str:
    operator = context.operator
    return said.replace("{operator}", operator.name).replace("{version}", str(operator.version))


def refusal_of_whole(network: Network, target: Target, model_name: str) -> tuple[Diagnostic, ...]:
    """EC558, a warning, for what :func:`refused_whole` finds; nothing where that is nothing."""
    found = refused_whole(network, target)
    if found is None:
        return ()
    rule, limit = found.failure.rule, found.failure.limit
    return (
        Diagnostic(
            code="EC558",
            severity=Severity.WARNING,
            message=f"the compiler for `{target.id}` will take nothing of this model",
            location=Location(
                file=model_name,
                operator=found.context.index,
                detail=f"subgraph {found.subgraph}" if found.subgraph else "",
            ),
            notes=(
                f"limit: {sentence(rule, limit)}",
                f"found: {_found(found)}",
                *_source(rule, target),
                f'it says "{found.said}"',
            ),
            help=(remedy(rule) or "build the Keras model for this target",),
        ),
    )


def _found(refusal: WholeRefusal) -> str:
    """What was found; a version is nothing without its operator."""
    found = refusal.failure.found
    versioned = refusal.failure.rule == "max_release"
    return f"`{refusal.context.operator.label}` version {found}" if versioned else found


def _source(rule: str, target: Target) -> Sequence[str]:
    sources = target.statuses.sources if target.statuses is not None else {}
    return (f"source: {sources[rule]}",) if rule in sources else ()
