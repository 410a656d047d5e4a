"""Train a quantized network in the integers that the device computes with."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from edgecompile.compress import device
from edgecompile.compress.context import Context
from edgecompile.compress.contract import PROPERTIES
from edgecompile.compress.few_bits import with_few_bits
from edgecompile.compress.option import option
from edgecompile.compress.origin import requantized, with_own_origin
from edgecompile.compress.promises import broken_promises
from edgecompile.compress.run import scored
from edgecompile.compress.subject import Subject
from edgecompile.compress.training.options import Trained
from edgecompile.compress.training.trainer import train
from edgecompile.core.diagnostic import Diagnostic, Location
from edgecompile.ir.layer_names import short_name
from edgecompile.ir.network import Network


@dataclass(frozen=True, kw_only=True)
class Quantize(Trained):
    """Quantization-aware training: every operator computes in the device's integers while weights learn.

    The simulated network is the quantized one itself, so no layer is left out; zeros, shared values and few bits stay.
    Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018,
    section 3. Ranges of activations are measured again as weights move, in place of moving averages.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "quantized"

    bits: int = option(8, "bits of a weight", minimum=4, maximum=8)
    ranges: str = option(
        "refreshed",
        "ranges of activations: measured again half-way, where that scores no worse, or as calibrated",
        choices=("refreshed", "calibrated"),
    )
    epochs: int = option(2, "how often training sees every sample; 0: no training", minimum=0, maximum=10_000)
    learning_rate: float = option(2e-4, "step size at its highest, relative to the size of the weights", above=0)

    @property
    def makes(self) -> frozenset[str]:
        """Few bits, where fewer than eight are asked for."""
        return frozenset({"few bits"} if self.bits < 8 else ())

    @property
    def keeps(self) -> frozenset[str]:
        """Everything."""
        return frozenset(PROPERTIES)

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject after training. Raises what ``train`` raises, and for few bits EC340 and EC341."""
        if self.bits < 8:
            subject = with_few_bits(subject, self.bits, context)
        how = self.training()
        first = math.ceil(self.epochs / 2) if self._refreshes(subject) else self.epochs
        subject = train(subject, how.part(first), context)
        if first < self.epochs:
            subject = _refreshed(subject, context)
            subject = train(subject, how.part(self.epochs - first, before=first, slower=2), context)
        if context.calibration is not None and len(context.calibration):
            found = device.agreement(subject.network, context.calibration)
            context.diagnostics.append(device.diagnose(found))
        return subject if subject.origin is None else with_own_origin(subject)

    def ensures(self, before: Subject, after: Subject) -> tuple[Diagnostic, ...]:
        """EC343 for operators that compute in float now and did not before."""
        allowed = set(computing_in_float(before.network))
        return broken_promises(before, after) + tuple(
            Diagnostic(
                code="EC343",
                message=f"operator `{name}` computes in float",
                location=Location(layer=short_name(layer)),
                notes=("every operator of a quantized network has integers",),
                help=("this is a fault of the compiler: please report it with the command you ran",),
            )
            for name, layer in computing_in_float(after.network)
            if (name, layer) not in allowed
        )

    def undone_help(self, lost: str) -> str:
        """Nothing is undone."""
        return f"`quantize` keeps {lost}"

    def _refreshes(self, subject: Subject) -> bool:
        return self.ranges == "refreshed" and self.epochs > 1 and subject.origin is not None


def computing_in_float(network: Network) -> tuple[tuple[str, str], ...]:
    """Operators with float ends and the names of what they make; QUANTIZE and DEQUANTIZE aside."""
    main = network.main
    return tuple(
        (operator.name, main.tensors[operator.outputs[0]].name)
        for operator in main.operators
        if operator.name not in ("QUANTIZE", "DEQUANTIZE")
        and any(main.tensors[i].dtype.startswith("float") for i in (*operator.inputs, *operator.outputs) if i >= 0)
    )


def _refreshed(subject: Subject, context: Context) -> Subject:
    """The subject with new ranges, unless it scores worse on validation samples."""
    fresh = requantized(subject, context)
    before, after = scored(subject, context), scored(fresh, context)
    worse = before is not None and after is not None and context.score is not None
    return (
        subject if worse and context.score is not None and context.score.better(before or 0.0, after or 0.0) else fresh
    )
