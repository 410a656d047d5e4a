"""What is wider than 8 bits inside an int8 network, on which targets, and the refusal where they have none of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgecompile.compress.recipe_check import steps_of
from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.core.recipe import Recipe, Scheme
from edgecompile.core.target import Target

WORDS = {"int16": "with 16-bit activations", "float": "in float"}


@dataclass(frozen=True, kw_only=True)
class Widths:
    """By what an operator of an int8 network may compute with in place of 8 bits, the targets that do not have it."""

    lacking: dict[str, tuple[str, ...]]

    def has(self, kind: str) -> bool:
        """Whether every target has it."""
        return not self.lacking[kind]

    def chosen(self, wider: str) -> tuple[str, ...]:
        """Those that every target has, of those that the option `wider` leaves to choose from."""
        return tuple(kind for kind in self.lacking if self.has(kind) and wider in ("auto", kind))


def widths_of(targets: Sequence[Target]) -> Widths:
    """From the profiles. TensorFlow Lite up to 2.20 refuses a QUANTIZE from int8 to int16 (quantize.cc, Prepare)."""
    sixteen = [one.id for one in targets if not ("int16x8" in one.numerics and one.judge == "tflite-micro")]
    floats = [one.id for one in targets if "float32" not in one.numerics]
    return Widths(lacking={"int16": tuple(sixteen), "float": tuple(floats)})


def demand_wider(recipe: Recipe, targets: Sequence[Target], schemes: Sequence[Scheme]) -> None:
    """Raises RejectedError EC346 for a step that spares operators the 8 bits where targets have nothing wider."""
    widths = widths_of(targets)
    for index, one in enumerate(steps_of(recipe)):
        wider = getattr(one, "wider", None)
        if wider is None:
            continue
        sixteen = [target.id for target, scheme in zip(targets, schemes, strict=True) if scheme.numerics == "int16x8"]
        error = wide_already(sixteen) if sixteen else None if widths.chosen(wider) else refused(wider, widths)
        if error is not None:
            raise type(error)(*(replace(said, location=recipe.place(index)) for said in error.diagnostics))


def wide_already(targets: Sequence[str] = ()) -> EdgecompileError:
    """EC346 for activations that have 16 bits."""
    names = f" for {_listed(targets)}" if targets else ""
    return rejected(
        "EC346",
        "activations have 16 bits already, so nothing wider is left for `mixed_precision`",
        notes=[f"it spares operators of an int8 network the 8 bits; found: int16x8{names}"],
        help=["take `mixed_precision` out of the recipe", "or build with `--numerics int8`"],
    )


def refused(wider: str, widths: Widths | None = None) -> EdgecompileError:
    """EC346 for targets that have nothing of what the option `wider` leaves; ``widths`` None: nobody knows which."""
    asked = "in anything but int8" if wider == "auto" else WORDS[wider]
    lacking = {kind: names for kind, names in (widths.lacking if widths else {}).items() if wider in ("auto", kind)}
    without = sorted({name for names in lacking.values() for name in names})
    who = f"{_listed(without)} {'compute' if len(without) > 1 else 'computes'}" if without else "a target computes"
    others = [kind for kind in WORDS if widths is not None and kind not in lacking and widths.has(kind)]
    return rejected(
        "EC346",
        f"{who} no operator of an int8 network {asked}, so none can be spared",
        notes=[
            "every target of the build has to run what is spared: 16-bit activations where its profile has int16x8 and "
            "TensorFlow Lite Micro, float where it has float32",
            *(f"{WORDS[kind]}: not on {_listed(names)}" for kind, names in lacking.items() if names),
        ],
        help=[
            *(f'take what every target has: `wider = "{kind}"`' for kind in others),
            "train the integers instead: `quantize`",
            "or build such targets by themselves: `edgecompile targets TARGET` shows a profile's numerics",
            *([] if wider == "auto" or others else ['or let the target say what it has: `wider = "auto"`']),
        ],
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join(f"`{name}`" for name in names)
