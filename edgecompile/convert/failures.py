"""The converter's exceptions, pages of compiler output, as one diagnostic each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, rejected
from edgecompile.ir.layer_names import layer_of

_NO_OPERATOR = ("ERROR_NEEDS_FLEX_OPS", "ERROR_NEEDS_CUSTOM_OPS")
# A table that the function reads shows up as an argument of its own.
_GIVEN = "tf.Placeholder"
_LISTED = 8
_CHARACTERS = 300


def explain(error: Exception, model_name: str, numerics: str) -> EdgecompileError:
    """The diagnostic for an exception of ``TFLiteConverter.convert``; to be raised by the caller.

    EC406 for operations without a TFLite operator, EC405 for shapes that are not known, EC410 for
    anything else, with the line that tells.
    """
    reports = list(getattr(error, "errors", []))
    lacking = [report for report in reports if _code(report) in _NO_OPERATOR and report.operator.name != _GIVEN]
    if lacking:
        return _without_operator(lacking, model_name)
    layer = next((found for report in reports if (found := _layer(report, model_name))), None)
    telling = telling_line(str(error)) or type(error).__name__
    if "to be static" in telling or "dynamic shape" in telling.lower():
        return rejected(
            "EC405",
            "a shape in the model is not known before it runs",
            Location(layer=layer) if layer else None,
            notes=[telling],
            help=["give the model's inputs fixed shapes, and keep shapes out of computed values"],
        )
    return rejected(
        "EC410",
        f"TensorFlow's converter cannot make `{numerics}` of this model",
        Location(layer=layer) if layer else None,
        notes=[f"{type(error).__name__}: {telling}"],
        help=["replace the layer named, or leave out layers until it converts, to find the one that cannot be"],
    )


def telling_line(text: str) -> str:
    """The line of a dump that says what is wrong: the first with ``error:``, else the first that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    chosen = next((line for line in lines if "error:" in line), lines[0] if lines else "")
    return chosen.rpartition("error:")[2].strip()[:_CHARACTERS]


def _without_operator(reports: Iterable[Any], model_name: str) -> EdgecompileError:
    found = list(
        dict.fromkeys((report.operator.name.removeprefix("tf."), _layer(report, model_name)) for report in reports)
    )
    name, layer = found[0]
    others = [f"`{other}`" + (f" of layer `{place}`" if place else "") for other, place in found[1:]]
    more = [f"and {len(others) - _LISTED} more"] if len(others) > _LISTED else []
    return rejected(
        "EC406",
        f"TensorFlow operation `{name}` has no TFLite operator",
        Location(layer=layer) if layer else None,
        notes=[*(f"so has not {other}" for other in others[:_LISTED]), *more],
        help=[
            "replace the layer by one made of operations that TFLite has (its operator list: ai.google.dev/edge/litert)"
        ],
    )


def _code(report: Any) -> str:
    return str(type(report).ErrorCode.Name(report.error_code))


def _layer(report: Any, model_name: str) -> str | None:
    """From the location's scopes, ``model/layer/Operation@__inference_f_22``."""
    found = (layer_of(call.name, model_name) for call in report.location.call if call.name)
    return next((layer for layer in found if layer), None)
