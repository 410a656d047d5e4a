"""The operators that TensorFlow Lite Micro has to link in: a header that registers exactly these."""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.emit.c_names import identifier
from edgecompile.emit.emission import Emission
from edgecompile.emit.micro_operators import methods_of

NAME = "operator_list"


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``model_operators.h``: a C++ function that adds the model's operators to a resolver, and their number."""
    path = "model_operators.h"
    (folder / path).write_text(_header(identifier(emission.name), methods_of(emission.network)), encoding="ascii")
    return (describe(folder, path, "cpp_header"),)


def _header(name: str, methods: tuple[str, ...]) -> str:
    upper = name.upper()
    calls = "\n".join(f"  if (resolver.{method}() != kTfLiteOk) return kTfLiteError;" for method in methods)
    return f"""\
/* The operators of the model `{name}`. Written by edgecompile; do not edit.
 *
 *   static tflite::MicroMutableOpResolver<{upper}_OPERATOR_COUNT> resolver;
 *   if ({name}_add_operators(resolver) != kTfLiteOk) ...
 */
#ifndef {upper}_MODEL_OPERATORS_H_
#define {upper}_MODEL_OPERATORS_H_

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

#define {upper}_OPERATOR_COUNT {len(methods)}

template <unsigned int count>
inline TfLiteStatus {name}_add_operators(tflite::MicroMutableOpResolver<count>& resolver) {{
  static_assert(count >= {upper}_OPERATOR_COUNT, "the resolver has room for too few operators");
{calls}
  return kTfLiteOk;
}}

#endif /* {upper}_MODEL_OPERATORS_H_ */
"""
