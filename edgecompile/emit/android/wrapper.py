"""What the wrapper templates are filled with: the same facts for Java, Kotlin and C++."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from edgecompile.emit.android import literals
from edgecompile.emit.android.names import class_name
from edgecompile.emit.android.ports import Port, inputs, outputs
from edgecompile.emit.emission import Emission

# A method of Java holds at most 64 KiB of code; a label takes up to ten bytes of it.
_LABELS_A_ROW = 1000
# What each accelerator of a profile needs in the app.
_RUNTIME = {
    "nnapi": "org.tensorflow:tensorflow-lite or com.google.ai.edge.litert:litert up to 1.4 (2.x has no NNAPI)",
    "gpu": "com.google.ai.edge.litert:litert and litert-gpu up to 1.4, or org.tensorflow:tensorflow-lite with -gpu",
}
_ANY_RUNTIME = "com.google.ai.edge.litert:litert or org.tensorflow:tensorflow-lite"


def values_of(emission: Emission) -> dict[str, Any]:
    """Everything the templates name. Raises EC620, EC690, EC695."""
    into, out = inputs(emission), outputs(emission)
    accelerator = emission.target.placement.accelerator
    name, asset = class_name(emission.name), f"{emission.name}.tflite"
    return {
        "title": literals.comment(emission.name),
        "class": name,
        "guard": f"{name.upper()}_EDGECOMPILE_HPP_",
        "asset": literals.comment(asset),
        "asset_literal": literals.java(asset),
        "kotlin_asset_literal": literals.kotlin(asset),
        "cpp_asset_literal": literals.cpp(asset),
        "target": emission.target.id,
        "runtime": _RUNTIME.get(accelerator, _ANY_RUNTIME),
        "sha256": hashlib.sha256(emission.content).hexdigest(),
        "on_nnapi": accelerator == "nnapi",
        "on_gpu": accelerator == "gpu",
        "on_cpu": accelerator not in _RUNTIME,
        "any_quantized": any(port.quantized for port in into),
        "input_count": len(into),
        "output_count": len(out),
        **_calls(into, out),
        **_labels(emission, out),
        **_facts(emission),
    }


def _calls(into: Sequence[Port], out: Sequence[Port]) -> dict[str, Any]:
    given, made = [port.values() for port in into], [port.values() for port in out]
    for one in given:
        one["kotlin_let"] = "var" if one["scaled"] or one["shifted"] else "val"
    java_takes = [f"take{one['camel']}()" for one in made]
    return {
        "inputs": given,
        "outputs": made,
        "one_output": len(made) == 1,
        "many_outputs": len(made) != 1,
        "result": made[0]["java"] if made else "",
        "kotlin_result": made[0]["kotlin"] if made else "",
        "java_parameters": ", ".join(f"{one['java']}[] {one['name']}" for one in given),
        "java_outputs": ", ".join(f"{one['java']}[] {one['name']}" for one in made),
        "java_return": java_takes[0] if len(made) == 1 else f"new Outputs({', '.join(java_takes)})",
        "kotlin_parameters": ", ".join(f"{one['name']}: {one['kotlin']}" for one in given),
        "kotlin_outputs": ", ".join(f"val {one['name']}: {one['kotlin']}" for one in made),
        "kotlin_return": java_takes[0] if len(made) == 1 else f"Outputs({', '.join(java_takes)})",
        "input_buffers": ", ".join(f"input{one['index']}Buffer" for one in given),
        "cpp_parameters": ", ".join(
            [f"const {one['cpp']}* {one['name']}" for one in given] + [f"{one['cpp']}* {one['name']}" for one in made]
        ),
        "cpp_takes": " && ".join(f"Take{one['camel']}({one['name']})" for one in made) or "true",
        "signature_note": f"{len(given)} in, {len(made)} out",
    }


def _labels(emission: Emission, out: Sequence[Port]) -> dict[str, Any]:
    labelled = next((port.values() for port in out if port.labelled), None)
    names = emission.labels
    starts = range(0, len(names), _LABELS_A_ROW)
    rows = [
        {
            "row": row,
            "java_names": "\n".join(f"        names.add({literals.java(n)});" for n in names[at : at + _LABELS_A_ROW]),
            "kotlin_names": "\n".join(f"            {literals.kotlin(n)}," for n in names[at : at + _LABELS_A_ROW])[
                :-1
            ],
        }
        for row, at in enumerate(starts)
    ]
    return {
        "labels": bool(names),
        "best": labelled is not None,
        "label_count": len(names),
        "label_rows": rows,
        "label_calls": ", ".join(f"labels{row['row']}()" for row in rows),
        "cpp_names": "\n".join(f"        {literals.cpp(name)}," for name in names),
        "result_labelled": labelled["java"] if labelled else "",
        "kotlin_labelled": labelled["kotlin"] if labelled else "",
    }


def facts_of(emission: Emission) -> tuple[tuple[str, int, str], ...]:
    """What the caller has to do itself before it hands values in: name, number, unit."""
    asked = emission.preprocess
    if asked is None:
        return ()
    height, width = asked.resize or (None, None)
    found = (
        ("IMAGE_HEIGHT", height, "Resize to so many rows of pixels first"),
        ("IMAGE_WIDTH", width, "Resize to so many pixels a row first"),
        ("SAMPLE_RATE_HZ", asked.sample_rate, "Resample to this rate first"),
        ("SAMPLE_COUNT", asked.length, "Cut, or fill with zeros at the end, to so many samples first"),
    )
    return tuple((name, number, why) for name, number, why in found if number is not None)


def _facts(emission: Emission) -> dict[str, Any]:
    facts = facts_of(emission)

    def lines(form: Callable[[str, int, str], str]) -> str:
        return "\n".join(form(*fact) for fact in facts)

    return {
        "facts": bool(facts),
        "facts_code": lines(lambda n, v, why: f"    /** {why}. */\n    public static final int {n} = {v};"),
        "kotlin_facts_code": lines(lambda n, v, why: f"        /** {why}. */\n        const val {n} = {v}"),
        "cpp_facts_code": lines(lambda n, v, why: f"  // {why}.\n  static constexpr int k{_pascal(n)} = {v};"),
    }


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
