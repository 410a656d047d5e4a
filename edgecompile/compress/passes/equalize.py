"""Even out the ranges of channels between layers that follow each other, without changing what the network computes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from edgecompile.compress.context import Context
from edgecompile.compress.equalization import equalized, pairs_of
from edgecompile.compress.harmless import Harmless
from edgecompile.compress.kept import kept_if_better
from edgecompile.compress.option import option
from edgecompile.compress.origin import quantized
from edgecompile.compress.subject import Subject
from edgecompile.core.errors import rejected


@dataclass(frozen=True, kw_only=True)
class Equalize(Harmless):
    """Cross-layer equalization: scale channels between layers so that one scale suits them all; exact in float.

    Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019, section 4.1.
    Factors are powers of two, so that every float keeps its digits.
    """

    phase: ClassVar[Literal["float", "quantized"]] = "float"

    choose: bool = option(True, "keep it only where validation samples score no worse after quantization")

    def run(self, subject: Subject, context: Context) -> Subject:
        """The subject with scaled channels. Raises EC344 where no two layers can be evened out."""
        pairs = pairs_of(subject)
        if not pairs:
            raise rejected(
                "EC344",
                "`equalize` finds no two layers that it could even out",
                notes=[
                    "two convolutions or dense layers in a row, with ReLU or nothing between, and free weights",
                    "found: none",
                ],
                help=["take `equalize` out of the recipe"],
            )
        changed = replace(subject, network=equalized(subject.network, pairs))
        if not self.choose or context.validation is None or context.score is None:
            return changed
        before, after = quantized(subject, context), quantized(changed, context)
        return subject if kept_if_better(before, after, context, "equalize") is before else changed
