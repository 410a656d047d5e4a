"""Run the optimization passes over a network until none finds anything to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from types import ModuleType

from edgecompile.core.registry import modules_of
from edgecompile.ir.network import Network

# Every round makes the network smaller, so there is an end; this many rounds are never needed.
_ROUNDS = 50
# Metadata that names tensors or operators by number; a rewrite would make it lie.
_NUMBERED = ("OfflineMemoryAllocation", "model_control_dependencies")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What one pass did: its name, how many rewrites, and one line for people."""

    pass_name: str
    count: int
    summary: str


@dataclass(frozen=True, kw_only=True)
class Optimized:
    """The network after the passes, and the changes in the order of the passes (those that did something)."""

    network: Network
    changes: tuple[Change, ...] = ()


def apply(network: Network, without: Collection[str] = ()) -> Optimized:
    """A network with equal outputs, bit for bit, and the same inputs, outputs and signatures.

    The passes are the modules of this package that declare ``ORDER`` (a number: the lowest runs first),
    ``SUMMARY`` and ``run(network) -> (network, words)``, one word per rewrite; they repeat until
    nothing changes. ``without`` names passes to leave out. A network whose metadata refers to tensors or operators by
    number is returned as it is.
    """
    if any(name in network.metadata for name in _NUMBERED):
        return Optimized(network=network)
    found: dict[str, list[str]] = {}
    for _ in range(_ROUNDS):
        before = network
        for module in (module for module in passes() if _name(module) not in without):
            network, words = module.run(network)
            found.setdefault(_name(module), []).extend(words)
        if network is before:
            break
    return Optimized(network=network, changes=tuple(_changes(found)))


def passes() -> list[ModuleType]:
    """The passes in the order in which they run."""
    found = [module for module in modules_of("edgecompile.optimize") if hasattr(module, "ORDER")]
    return sorted(found, key=lambda module: int(module.ORDER))


def _name(module: ModuleType) -> str:
    return module.__name__.rsplit(".", 1)[-1]


def _changes(found: dict[str, list[str]]) -> list[Change]:
    summaries = {_name(module): str(module.SUMMARY) for module in passes()}
    return [
        Change(pass_name=name, count=len(words), summary=f"{summaries[name]}: {_counted(words)}")
        for name, words in found.items()
        if words
    ]


def _counted(words: list[str]) -> str:
    """``3 RESHAPE, 1 CAST``: what and how often, the most frequent first."""
    return ", ".join(f"{count} {_plural(word, count)}" for word, count in Counter(words).most_common())


def _plural(word: str, count: int) -> str:
    """Operators keep their spelling; ``buffer``, ``tensor`` and the last of ``CONV_2D channel`` are words."""
    return f"{word}s" if count > 1 and word.split()[-1].islower() else word
