"""Leave the operators that cost most accuracy in float, until a stated drop is met."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from edgecompile.compress.context import Context
from edgecompile.compress.harmless import Harmless
from edgecompile.compress.integers import hold
from edgecompile.compress.option import option
from edgecompile.compress.origin import origin_of
from edgecompile.compress.promises import broken_promises
from edgecompile.compress.run import scored
from edgecompile.compress.sensitivity import sensitivities
from edgecompile.compress.subject import Subject
from edgecompile.core.diagnostic import Diagnostic, Severity
from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.ir.layer_names import short_name


@dataclass(frozen=True, kw_only=True)
class MixedPrecision(Harmless):
    """Leave as few operators in float as it takes to lose no more accuracy than stated, the most sensitive first.

    For targets that run float operators beside integer ones. TensorFlow's quantizer makes a network of int8 or of int16
    activations as a whole, so float is the only other precision inside an int8 network; `numerics = "int16x8"` makes
    all of it more precise. Islands of int16 would begin with a QUANTIZE from int8 to int16, which TensorFlow Lite
    Micro and LiteRT 2.3 run and TensorFlow Lite up to 2.20 refuses (quantize.cc, Prepare).
    """

    phase: ClassVar[Literal["float", "quantized"]] = "quantized"

    max_drop: float = option(0.01, "how much worse than the float model it may score on validation samples", minimum=0)
    most: int = option(4, "how many operators may stay in float", minimum=1)

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with operators in float where integers lose too much.

        Raises EC346 where a target takes no float operators, EC347 where the drop cannot be measured or met.
        """
        floats = origin_of(subject, "mixed_precision")
        if context.quantize_partly is None:
            raise _refused()
        wanted, found = scored(floats, context), scored(subject, context)
        if wanted is None or found is None or context.score is None:
            raise _unmet("there are no validation samples to measure the drop with", [])
        sign = 1.0 if context.score.higher_is_better else -1.0
        names: list[str] = []
        made, drop = subject, sign * (wanted - found)
        ranked = [one.name for one in sensitivities(subject, context)] if drop > self.max_drop else []
        for name in ranked[: self.most]:
            names.append(name)
            network = hold(context.quantize_partly(floats.network, names), floats.network, floats.held)
            made = replace(subject, network=network)
            drop = sign * (wanted - (scored(made, context) or 0.0))
            if drop <= self.max_drop:
                break
        if drop > self.max_drop:
            layers = ", ".join(f"`{short_name(name)}`" for name in names)
            facts = [f"limit: {self.max_drop:g}", f"found: {drop:.4f} with {len(names)} operators in float: {layers}"]
            raise _unmet("the drop that is allowed cannot be met", facts)
        context.diagnostics.append(_told(names, drop))
        return made

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """EC307 for weights that are not what is held of them, where they are integers still."""
        integer = {tensor.name for tensor in after.network.main.tensors if tensor.dtype == "int8"}
        held = {key: promise for key, promise in after.held.items() if key in integer}
        return broken_promises(replace(before, held=held), replace(after, held=held))


def _told(names: list[str], drop: float) -> Diagnostic:
    left = [f"in float: `{short_name(name)}`" for name in names] or ["no operator had to stay in float"]
    return Diagnostic(
        code="EC347",
        message=f"{len(names)} operators stay in float; the drop on validation samples is {drop:.4f}",
        severity=Severity.NOTE,
        notes=tuple(left),
    )


def _refused() -> EdgecompileError:
    return rejected(
        "EC346",
        "a target takes no float operators, so none can stay in float",
        notes=["every operator of an int8 network has to be integer there"],
        help=["train the integers instead: `quantize`", 'or take another target, or `numerics = "int16x8"`'],
    )


def _unmet(message: str, facts: list[str]) -> EdgecompileError:
    return rejected(
        "EC347",
        f"`mixed_precision`: {message}",
        notes=facts or ["labelled data or a metric gives a score; found: none"],
        help=["allow more operators (`most`) or a larger `max_drop`", "train the integers: `quantize`"],
    )
