"""When each runtime tensor must exist: from the operator that writes it to the last one that reads it.

Time is counted in steps. In a model with one subgraph, step *i* is operator *i*. An operator that
calls subgraphs (``IF``, ``WHILE``, ``CALL_ONCE``, ``CALL``) takes one step itself and one for each
operator of the subgraphs it calls, which are laid out where they are called first.
"""

from __future__ import annotations

from dataclasses import dataclass

from edgecompile.ir.network import Network, Operator, Subgraph

_CALLS = (
    "then_subgraph_index",
    "else_subgraph_index",
    "cond_subgraph_index",
    "body_subgraph_index",
    "init_subgraph_index",
    "subgraph",
)


@dataclass(frozen=True, kw_only=True)
class Lifetime:
    """A runtime tensor, alive in every step from ``first`` to ``last``, both included.

    ``tensor`` is its index in ``subgraph``. Constants, and tensors without a size (strings,
    resources, nothing in them), have no lifetime. ``size_bytes`` is not aligned.
    """

    tensor: int
    name: str
    size_bytes: int
    first: int
    last: int
    subgraph: int = 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """One unit of time: which operator runs. ``label`` is the operator's TFLite name."""

    subgraph: int
    operator: int
    label: str


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The steps in order, and the lifetimes in order of subgraph and tensor."""

    steps: tuple[Step, ...]
    lifetimes: tuple[Lifetime, ...]


def timeline_of(network: Network) -> Timeline:
    """Exact lifetimes for a model with one subgraph.

    Inputs live from the first step, outputs to the last one, variables always, a result that
    nobody reads while it is written. A tensor that nothing writes and somebody reads is taken as alive
    from the first step. With called subgraphs the answer is conservative: inputs and outputs of
    a called subgraph live as long as the operator that calls it, and a subgraph called from several places keeps
    all of its tensors from the first call to the last. Subgraphs that the main one never
    reaches (they belong to other signatures) are not counted.
    """
    walk = _Walk(network)
    walk.run(0, ())
    return Timeline(steps=tuple(walk.steps), lifetimes=tuple(walk.lifetimes()))


class _Walk:
    """Lays out the steps and collects the span of every tensor on the way."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.steps: list[Step] = []
        self.spans: dict[tuple[int, int], tuple[int, int]] = {}
        self.visited: set[int] = set()

    def run(self, number: int, callers: tuple[int, ...]) -> None:
        """Lay out one subgraph from the present step on."""
        self.visited.add(number)
        subgraph, start = self.network.subgraphs[number], len(self.steps)
        for index, operator in enumerate(subgraph.operators):
            first = len(self.steps)
            self.steps.append(Step(subgraph=number, operator=index, label=operator.label))
            self._call(operator, (*callers, number), first)
            self._hold_calls(operator, first)
            for tensor in (*operator.inputs, *operator.outputs):
                self._touch(number, tensor, first, len(self.steps) - 1)
        self._hold_ends(number, subgraph, start)

    def _call(self, operator: Operator, callers: tuple[int, ...], step: int) -> None:
        for called in _called(operator, len(self.network.subgraphs)):
            if called in callers:  # recursion: its tensors are held by the call that is under way
                continue
            if called in self.visited:
                self._extend(called, step)
            else:
                self.run(called, callers)

    def _touch(self, subgraph: int, tensor: int, first: int, last: int) -> None:
        if tensor < 0:
            return
        known = self.spans.get((subgraph, tensor), (first, last))
        self.spans[subgraph, tensor] = (min(known[0], first), max(known[1], last))

    def _extend(self, called: int, step: int) -> None:
        """A second call of a subgraph: keep what it and the subgraphs below it hold until now."""
        reached, waiting = {called}, [called]
        while waiting:
            for operator in self.network.subgraphs[waiting.pop()].operators:
                below = [s for s in _called(operator, len(self.network.subgraphs)) if s not in reached]
                reached.update(below)
                waiting.extend(below)
        for (subgraph, tensor), (first, last) in list(self.spans.items()):
            if subgraph in reached:
                self.spans[subgraph, tensor] = (first, max(last, step))

    def _hold_calls(self, operator: Operator, first: int) -> None:
        """Inputs and outputs of called subgraphs carry values between the turns of a loop: hold them all along."""
        for called in _called(operator, len(self.network.subgraphs)):
            subgraph = self.network.subgraphs[called]
            for tensor in (*subgraph.inputs, *subgraph.outputs):
                self._touch(called, tensor, first, len(self.steps) - 1)

    def _hold_ends(self, number: int, subgraph: Subgraph, start: int) -> None:
        """Stretch what outlives its operators: inputs and what nobody writes to the start, outputs to the end."""
        end = max(len(self.steps) - 1, start)
        written = {tensor for operator in subgraph.operators for tensor in operator.outputs}
        for tensor in subgraph.inputs:
            self._touch(number, tensor, start, start)
        for tensor in subgraph.outputs:
            self._touch(number, tensor, end, end)
        for key, (_, last) in list(self.spans.items()):
            if key[0] == number and key[1] not in written:
                self.spans[key] = (start, last)

    def lifetimes(self) -> list[Lifetime]:
        """The spans of what takes room in the arena; variables last from the first step to the last."""
        end, found = max(len(self.steps) - 1, 0), []
        for (number, index), (first, last) in sorted(self.spans.items()):
            tensor = self.network.subgraphs[number].tensors[index]
            if tensor.is_constant or tensor.size_bytes == 0:
                continue
            if tensor.is_variable:
                first, last = 0, end
            found.append(
                Lifetime(
                    tensor=index,
                    name=tensor.name,
                    size_bytes=tensor.size_bytes,
                    first=first,
                    last=last,
                    subgraph=number,
                )
            )
        return found


def _called(operator: Operator, count: int) -> list[int]:
    """Indices of the subgraphs that an operator calls; what is out of range is left out."""
    if operator.name not in ("IF", "WHILE", "CALL_ONCE", "CALL"):
        return []
    found = [operator.options[key] for key in _CALLS if key in operator.options]
    return [index for index in found if isinstance(index, int) and 0 <= index < count]
