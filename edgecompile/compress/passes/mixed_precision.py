"""Compute the operators that cost most accuracy with 16-bit activations or in float, until a stated drop is met."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from edgecompile.compress.context import Context
from edgecompile.compress.harmless import Harmless
from edgecompile.compress.integers import hold
from edgecompile.compress.islands import surroundings, with_islands
from edgecompile.compress.option import option
from edgecompile.compress.origin import origin_of
from edgecompile.compress.promises import broken_promises
from edgecompile.compress.run import scored
from edgecompile.compress.sensitivity import sensitivities
from edgecompile.compress.subject import Subject
from edgecompile.compress.wider import WORDS, refused, wide_already
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.core.units import counted
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network

# From the names of sensitive operators, the most sensitive first: the network, and what is not in int8 any more.
_Spare = Callable[[Sequence[str]], tuple[Network, tuple[str, ...]]]
_TOLD = 20  # operators in the report's table


@dataclass(frozen=True, kw_only=True)
class MixedPrecision(Harmless):
    """Spare as few operators the 8 bits as it takes to lose no more accuracy than stated, the most sensitive first.

    What counts is what integers lose: the drop is held against the float network as the steps before left it, with
    their zeros and shared values, which no precision brings back.

    `int16`: an operator and those that read its result compute with 16-bit activations and the same 8-bit weights
    (int16x8), between two QUANTIZE. Microcontrollers run that; TensorFlow Lite up to 2.20 refuses a QUANTIZE from int8
    to int16 (quantize.cc, Prepare), so targets of phones do not get it. `float`: an operator stays in float32, weights
    included, between DEQUANTIZE and QUANTIZE, on targets that run float operators beside integer ones. `auto` takes
    16 bits where the target has them and they are enough, else float.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "quantized"

    max_drop: float = option(
        0.01, "how much worse than the same network in float it may score on validation samples", minimum=0
    )
    most: int = option(4, "how many sensitive operators may be spared", minimum=1)
    wider: str = option("auto", "what they compute with instead of 8 bits", choices=("auto", "int16", "float"))

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with operators in more than 8 bits where these lose too much.

        Raises EC346 where a target has nothing wider, EC347 where the drop cannot be measured or met.
        """
        floats = origin_of(subject, "mixed_precision")
        ways = self._ways(subject, floats, context)
        wanted, found = scored(floats, context), scored(subject, context)
        if wanted is None or found is None or context.score is None:
            raise _unmeasured()
        sign = 1.0 if context.score.higher_is_better else -1.0

        def drop_of(one: Subject) -> float:
            return sign * (wanted - (scored(one, context) or 0.0))

        drop = drop_of(subject)
        if drop <= self.max_drop:
            context.diagnostics.append(_told("float", (), drop))
            return subject
        measured = sensitivities(subject, context)
        context.sensitivities.extend(measured[:_TOLD])
        ranked = [one.name for one in measured[: self.most]]
        spared: tuple[str, ...] = ()
        facts = [f"limit: {self.max_drop:g}; in int8 throughout: {drop:.4f}"]
        for kind, spare in ways.items():
            for count in range(1, len(ranked) + 1):
                network, spared = spare(ranked[:count])
                made = replace(subject, network=network)
                drop = drop_of(made)
                if drop <= self.max_drop:
                    context.diagnostics.append(_told(kind, spared, drop))
                    return made
            facts.append(f"found: {drop:.4f} with {counted(len(spared), 'operator')} {WORDS[kind]}: {_listed(spared)}")
        raise _unmet("the drop that is allowed cannot be met", facts)

    def _ways(self, subject: Subject, floats: Subject, context: Context) -> dict[str, _Spare]:
        """By kind, how operators are spared, in the order in which it is tried. Raises EC346 where there is no way."""
        partly, wide = context.quantize_partly, context.quantize_wide
        donors: list[Network] = []

        def widen(names: Sequence[str]) -> tuple[Network, tuple[str, ...]]:
            assert wide is not None
            donors.extend([] if donors else [wide(floats.network)])
            around = dict.fromkeys(one for name in names for one in surroundings(subject.network, name))
            network, taken = with_islands(subject.network, donors[0], around)
            return hold(network, floats.network, floats.held), taken

        def leave(names: Sequence[str]) -> tuple[Network, tuple[str, ...]]:
            assert partly is not None
            return hold(partly(floats.network, names), floats.network, floats.held), tuple(names)

        able: dict[str, _Spare | None] = {"int16": widen if wide else None, "float": leave if partly else None}
        ways = {kind: way for kind, way in able.items() if way is not None}
        if self.wider != "auto":
            ways = {kind: way for kind, way in ways.items() if kind == self.wider}
        if not ways:
            raise _refused(self.wider, subject.network)
        return ways

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """EC307 for weights that are not what is held of them, where they are integers still."""
        integer = {tensor.name for tensor in after.network.main.tensors if tensor.dtype in ("int8", "int16")}
        held = {key: promise for key, promise in after.held.items() if key in integer}
        return broken_promises(replace(before, held=held), replace(after, held=held))


def _told(kind: str, names: Sequence[str], drop: float) -> Diagnostic:
    several = f"{counted(len(names), 'operator')} {'computes' if len(names) == 1 else 'compute'} {WORDS[kind]}"
    count = several if names else "all operators compute in int8"
    return Diagnostic(
        code="EC347",
        message=f"{count}; the drop from the float network on validation samples is {drop:.4f}",
        severity=Severity.NOTE,
        notes=(f"{WORDS[kind]}: {_listed(names)}" if names else "no operator had to be spared",),
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{short_name(name)}`" for name in names)


def _refused(wider: str, network: Network) -> EdgecompileError:
    tensors = network.main.tensors
    if any(tensors[index].dtype == "int16" for one in network.main.operators for index in one.outputs):
        return wide_already()
    return refused(wider)


def _unmeasured() -> EdgecompileError:
    return rejected(
        "EC347",
        "`mixed_precision`: there is nothing to measure the drop with",
        notes=["samples with labels, or a metric that needs none, give a score; found: none"],
        help=["give labelled data: `--data FILE` with `x_train` and `y_train`", "or take `mixed_precision` out"],
    )


def _unmet(message: str, facts: list[str]) -> EdgecompileError:
    return rejected(
        "EC347",
        f"`mixed_precision`: {message}",
        notes=facts,
        help=["allow more operators (`most`) or a larger `max_drop`", "train the integers: `quantize`"],
    )
