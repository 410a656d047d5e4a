"""What makes the target's own compiler take nothing of a model, whatever it says of single operators."""

from __future__ import annotations

from edgecompile.core.diagnostic import Diagnostic, Location, Severity
from edgecompile.core.target import Target
from edgecompile.ir.network import Network
from edgecompile.legalize.context import contexts_of
from edgecompile.legalize.judge import failures_of
from edgecompile.legalize.rules import remedy, sentence


def refusal_of_whole(network: Network, target: Target, model_name: str) -> tuple[Diagnostic, ...]:
    """EC558, a warning, for the first such cause; nothing where the profile knows none of its compiler's.

    ``[statuses.whole]`` has the compiler's words for rules that no operator keeps (``none``) or one breaks (``any``).
    """
    if target.statuses is None or not network.main.operators:
        return ()
    contexts = contexts_of(network, network.main, target)
    for many, words in target.statuses.whole.items():
        for rule, said in words.items():
            limit = target.statuses.first.get(rule, True)
            found = [context for context in contexts if failures_of(context, {rule: limit})]
            if len(found) == len(contexts) or (found and many == "any"):
                first = failures_of(found[0], {rule: limit})[0].found
                return (_told(said, rule, limit, first, found[0].index, target, model_name),)
    return ()


def _told(
    said: str, rule: str, limit: object, found: str, operator: int, target: Target, model_name: str
) -> Diagnostic:
    return Diagnostic(
        code="EC558",
        severity=Severity.WARNING,
        message=f"the compiler for `{target.id}` will take nothing of this model",
        location=Location(file=model_name, operator=operator),
        notes=(f"limit: {sentence(rule, limit)}", f"found: {found}", f'it says "{said}"'),
        help=(remedy(rule) or "build the Keras model for this target",),
    )
