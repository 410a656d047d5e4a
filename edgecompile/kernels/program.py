"""A network as a list of routines: for each operator the kernel that takes it, or why none does."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType

from edgecompile.core.registry import modules_of
from edgecompile.core.target import DSP
from edgecompile.ir.network import Network, Subgraph
from edgecompile.kernels.rounding import TWICE
from edgecompile.kernels.routine import C_TYPES, Array, Routine, Site
from edgecompile.kernels.row_by_row import row_by_row
from edgecompile.kernels.variables import initial_values
from edgecompile.kernels.weight_choice import BALANCED
from edgecompile.kernels.weight_forms import DENSE


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """An operator without a kernel. ``reason`` is a noun phrase: ``element types other than int8``."""

    operator: int
    label: str
    reason: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """Routines in the order of the subgraph's operators; complete only where ``refusals`` is empty.

    ``initial``: what variables begin with, by their handle; others begin with what their routine says.
    """

    subgraph: Subgraph
    routines: tuple[Routine, ...]
    refusals: tuple[Refusal, ...] = ()
    initial: Mapping[int, Array] = field(default_factory=dict)

    @property
    def unstored(self) -> frozenset[int]:
        """Tensors that have no place, for they are never there as a whole."""
        return frozenset(index for routine in self.routines for index in routine.unstored)


def compile_network(
    network: Network,
    rounding: str = TWICE,
    *,
    forms: Sequence[str] = (DENSE,),
    goal: str = BALANCED,
    kernels: str = DSP,
    plain: Collection[int] = (),
    rooms: Mapping[int, int] | None = None,
) -> Program:
    """The main subgraph in C; other subgraphs than those that give variables their values are refused.

    ``forms``: in which of ``weight_forms.FORMS`` weights may be stored; ``goal``: by what they are chosen;
    ``kernels``: for which instructions constants are laid out, one of ``core.target.KERNELS``. ``plain``: operators
    whose weights are stored one by one whatever is allowed; ``rooms``: ``Site.room_bytes`` by operator.
    """
    main = network.main
    sites, routines, refusals = [], [], []
    for index, operator in enumerate(main.operators):
        site = Site(
            subgraph=main,
            operator=operator,
            rounding=rounding,
            forms=(DENSE,) if index in plain else tuple(forms),
            goal=goal,
            kernels=kernels,
            room_bytes=None if rooms is None else rooms.get(index),
        )
        sites.append(site)
        found = _routine(site)
        if isinstance(found, str):
            refusals.append(Refusal(operator=index, label=operator.label, reason=found))
        else:
            routines.append(found)
    refusals += _whole(network)
    initial = initial_values(network)
    if isinstance(initial, str):
        refusals.append(Refusal(operator=0, label="the model", reason=initial))
        initial = {}
    made = tuple(routines) if refusals else row_by_row(sites, routines)
    return Program(subgraph=main, routines=made, refusals=tuple(refusals), initial=initial)


def kernels() -> dict[str, tuple[ModuleType, ...]]:
    """Twins by the operators they take: modules of this package with ``OPERATORS``, in order of name."""
    found: dict[str, tuple[ModuleType, ...]] = {}
    for module in modules_of("edgecompile.kernels"):
        for operator in getattr(module, "OPERATORS", ()):
            found[operator] = (*found.get(operator, ()), module)
    return found


def _routine(site: Site) -> Routine | str:
    if site.operator.name not in kernels():
        return "this operator"
    if any(tensor.elements == 0 for tensor in site.subgraph.outputs_of(site.operator)):
        return "a result without elements"
    reasons = []
    for module in sorted(kernels()[site.operator.name], key=lambda module: getattr(module, "RANK", 0)):
        reason = module.refuse(site)
        if reason is None:
            found: Routine = module.routine(site)
            return found
        reasons.append(reason)
    return "; ".join(dict.fromkeys(reasons))


def _whole(network: Network) -> list[Refusal]:
    """What keeps the model as such from being a program."""
    main, found = network.main, []
    made = {index for operator in main.operators for index in operator.outputs} | set(main.inputs)
    if any(index not in made for index in main.outputs):
        found.append("an output that no operator computes")
    if any(main.tensors[index].elements == 0 for index in main.inputs):
        found.append("an input without elements")
    if any(main.tensors[index].dtype not in C_TYPES for index in (*main.inputs, *main.outputs)):
        found.append("inputs or outputs of element types that C has no word for")
    return [Refusal(operator=0, label="the model", reason=reason) for reason in found]
