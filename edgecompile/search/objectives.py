"""What a search makes small or large: objectives as measures of a report, and by how much budgets are passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import bad_input, did_you_mean

# A drop that no build has: the report then says on which side of the float model's score the limit lies.
NO_LIMIT = 1e9
ACCURACY = "accuracy"
# Objective to the measures that tell it, the first that a report has; all of them are better when smaller.
MEASURES: Mapping[str, tuple[str, ...]] = {
    "flash": ("flash_bytes", "model_bytes"),
    "ram": ("ram_bytes", "arena_bytes"),
    "energy": ("energy_mj",),
    "time": ("instructions", "cycles", "latency_ms", "macs"),
    "weights": ("weights_bytes",),
    "macs": ("macs",),
}
NAMES = (ACCURACY, *MEASURES)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Budgets: bytes, and the drop from the float model's score in the metric's unit; None: no limit."""

    flash_bytes: int | None = None
    ram_bytes: int | None = None
    max_drop: float | None = None

    def given(self) -> dict[str, float]:
        """The limits that there are: ``flash`` and ``ram`` in bytes, ``drop`` in the metric's unit."""
        known = {"flash": self.flash_bytes, "ram": self.ram_bytes, "drop": self.max_drop}
        return {name: limit for name, limit in known.items() if limit is not None}


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one build measured. ``drop``: by how much the score is worse than the float model's, negative if better.

    ``values``, ``units`` and ``methods`` are by objective; accuracy is the score itself. ``loss`` is the score
    turned so that less is better.
    """

    values: Mapping[str, float]
    units: Mapping[str, str]
    methods: Mapping[str, str]
    loss: float
    drop: float | None

    def of(self, limit: str) -> float | None:
        """What is held against a limit (see :meth:`Limits.given`); None where it was not measured."""
        return self.drop if limit == "drop" else self.values.get(limit)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "values": dict(self.values),
            "units": dict(self.units),
            "methods": dict(self.methods),
            "loss": self.loss,
            "drop": self.drop,
        }


def figures(measures: Sequence[Mapping[str, Any]]) -> Figures | None:
    """From a report's measures as plain data; None where the build was not scored."""
    found = {one["name"]: one for one in measures if one["value"] is not None}
    score, whole = found.get("metric"), found.get("metric_float")
    if score is None:
        return None
    rises = score["limit"] is None or whole is None or score["limit"] < whole["value"]
    sign = -1.0 if rises else 1.0
    chosen = {ACCURACY: score}
    for name, measures_of in MEASURES.items():
        one = next((found[measure] for measure in measures_of if measure in found), None)
        if one is not None:
            chosen[name] = one
    return Figures(
        values={name: one["value"] for name, one in chosen.items()},
        units={name: one["unit"] for name, one in chosen.items()},
        methods={name: one["method"] for name, one in chosen.items()},
        loss=sign * score["value"],
        drop=sign * (score["value"] - whole["value"]) if whole is not None else None,
    )


def from_plain(plain: Mapping[str, Any]) -> Figures:
    """What :meth:`Figures.to_dict` made plain."""
    return Figures(**plain)


def chosen(asked: Sequence[str], limits: Limits) -> tuple[str, ...]:
    """The objectives: those asked for, else accuracy and what there are budgets of, flash where there are none.

    Raises BadInputError EC851 for an objective that there is not.
    """
    for name in asked:
        if name not in NAMES:
            raise bad_input(
                "EC851",
                f"`{name}` is no objective of a search",
                Location(file="command line", detail="`--objective`"),
                notes=(f"objectives: {', '.join(f'`{known}`' for known in NAMES)}", f"found: {name}"),
                help=did_you_mean(name, NAMES)
                or (
                    "name one of them, as in `--objective time`: instructions, cycles or milliseconds",
                    "or leave `--objective` out: what there are budgets of is made small, else flash",
                ),
            )
    if asked:
        return tuple(dict.fromkeys((ACCURACY, *asked)))
    budgeted = [name for name in ("flash", "ram") if getattr(limits, f"{name}_bytes") is not None]
    return (ACCURACY, *(budgeted or ["flash"]))


def point(found: Figures, names: Sequence[str]) -> tuple[float, ...]:
    """The figures of these objectives, less being better; what was not measured is infinitely bad."""
    return tuple(found.loss if name == ACCURACY else float(found.values.get(name, float("inf"))) for name in names)


def violations(found: Figures, limits: Limits) -> dict[str, float]:
    """By limit, how far it is passed, relative to itself; 0 or less: it is met. A drop is relative to 0.01 at least."""
    over = {}
    for name, limit in (("flash", limits.flash_bytes), ("ram", limits.ram_bytes)):
        if limit is not None:
            over[name] = (found.values.get(name, 0.0) - limit) / max(limit, 1)
    if limits.max_drop is not None and found.drop is not None:
        over["drop"] = (found.drop - limits.max_drop - 1e-9) / max(limits.max_drop, 0.01)
    return over


def meets(found: Figures, limits: Limits) -> bool:
    """Whether every limit is met."""
    return all(over <= 0 for over in violations(found, limits).values())
