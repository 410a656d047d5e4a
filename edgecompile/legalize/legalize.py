"""Rewrite a network into what a target takes, as far as that needs no data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import ModuleType

from edgecompile.core.errors import bad_input, did_you_mean
from edgecompile.core.registry import modules_of
from edgecompile.core.target import Target
from edgecompile.ir.network import Network
from edgecompile.legalize.check import check

# One rewrite makes work for another (a fixed batch folds shapes); this many rounds are never needed.
_ROUNDS = 5
# Metadata that names tensors or operators by number; a rewrite would make it lie.
_NUMBERED = ("OfflineMemoryAllocation", "model_control_dependencies")

Tidy = Callable[[Network, Collection[str]], Network]


@dataclass(frozen=True, kw_only=True)
class Rewrite:
    """What one rewrite did: ``found`` are the operators it met, ``keeps`` what stays of the outputs.

    ``before`` and ``after`` count the operators that do not run on the accelerator.
    """

    name: str
    count: int
    found: str
    summary: str
    keeps: str
    before: int
    after: int

    @property
    def line(self) -> str:
        """The rewrite and its effect in one line."""
        effect = f"{self.before} -> {self.after}" if self.before != self.after else f"{self.after} as before"
        return f"{self.name}: {self.found}; {self.summary}; keeps {self.keeps}; off the accelerator: {effect}"


@dataclass(frozen=True, kw_only=True)
class Legalized:
    """The network after the rewrites, and what each did, in the order in which they ran."""

    network: Network
    rewrites: tuple[Rewrite, ...] = ()


def legalize(
    network: Network, target: Target, refused: Collection[str], tidy: Tidy, *, keep_ends: bool = False
) -> Legalized:
    """Run the rewrites that the profile names, in its order, but those ``refused``, until none finds anything to do.

    ``tidy(network, left_out)`` cleans up behind a rewrite, without the passes of these names, which would take it
    back. ``keep_ends`` leaves out what would change the types of inputs or outputs. A network whose metadata refers to
    tensors or operators by number is returned as it is. Raises BadInputError EC570 where the profile names a rewrite
    that does not exist, EC571 where the user refuses one.
    """
    chosen = chosen_of(target, refused)
    if keep_ends:
        chosen = {name: module for name, module in chosen.items() if not hasattr(module, "CHANGES_ENDS")}
    if not chosen or any(name in network.metadata for name in _NUMBERED):
        return Legalized(network=network)
    left_out = frozenset(name for module in chosen.values() for name in getattr(module, "UNDONE_BY", ()))
    done: list[Rewrite] = []
    for _ in range(_ROUNDS):
        start = network
        for name, module in chosen.items():
            changed, words = module.run(network, target)
            if not words:
                continue
            before, network = network, tidy(changed, left_out)
            done.append(_record(name, module, words, _off(before, target), _off(network, target)))
        if network is start:
            break
    return Legalized(network=network, rewrites=tuple(done))


def rewrites() -> dict[str, ModuleType]:
    """All rewrites by name."""
    return {module.__name__.rsplit(".", 1)[-1]: module for module in modules_of("edgecompile.legalize.rewrites")}


def chosen_of(target: Target, refused: Collection[str]) -> dict[str, ModuleType]:
    """The rewrites that the profile names but those ``refused``, in its order. Raises EC570, EC571."""
    known = rewrites()
    for name in target.rewrites:
        if name not in known:
            raise bad_input(
                "EC570",
                f"there is no rewrite `{name}`",
                f"profile `{target.id}`",
                notes=(f"rewrites: {', '.join(known)}",),
                help=did_you_mean(name, known) or ("correct the name or take it out of `rewrites`",),
            )
    for name in refused:
        if name not in known:
            raise bad_input(
                "EC571",
                f"there is no rewrite `{name}` to leave out",
                notes=(f"`{target.id}` asks for: {', '.join(target.rewrites) or 'none'}",),
                help=did_you_mean(name, known) or ("the report of a build lists the rewrites that were made",),
            )
    return {name: known[name] for name in target.rewrites if name not in refused}


def _record(name: str, module: ModuleType, words: list[str], before: int, after: int) -> Rewrite:
    counted = ", ".join(f"{count} {word}" for word, count in Counter(words).most_common())
    return Rewrite(
        name=name,
        count=len(words),
        found=counted,
        summary=str(module.SUMMARY),
        keeps=str(module.KEEPS),
        before=before,
        after=after,
    )


def _off(network: Network, target: Target) -> int:
    placements = check(network, target, "").placements
    return sum(placed.where != target.placement.accelerator for placed in placements)
