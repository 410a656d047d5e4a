"""What the target's own compiler would say about an operator, in its words."""

from __future__ import annotations

from edgecompile.core.target import Statuses
from edgecompile.legalize.context import Context
from edgecompile.legalize.judge import Judgement, failures_of


def status_of(context: Context, judgement: Judgement, running: bool, statuses: Statuses | None, whole: str = "") -> str:
    """The status of one operator; empty where the profile does not know its compiler's words.

    ``running`` says that the operator is in a partition that is kept, ``whole`` with which words nothing of the model
    is taken. A compiler tells one cause only: the rules of
    ``statuses.first`` come before whether it knows the operator at all, then the clause's rules in their order.
    """
    if statuses is None:
        return ""
    if running:
        return statuses.mapped
    if judgement.accepted:
        return whole or statuses.cut_off
    failed = [failure.rule for failure in judgement.failures]
    if judgement.clause is None:
        failed = [failure.rule for failure in failures_of(context, statuses.first)]
    if not failed:
        return statuses.absent
    failed.sort(key=lambda rule: rule not in statuses.first)
    own = statuses.operators.get(context.operator.label, {})
    return own.get(failed[0]) or statuses.rules.get(failed[0], statuses.otherwise)
