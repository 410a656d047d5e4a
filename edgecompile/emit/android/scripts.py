"""What the templates of the Gradle and CMake scripts are filled with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from edgecompile import __version__
from edgecompile.emit.android import literals
from edgecompile.emit.android.names import class_name
from edgecompile.emit.c_names import identifier
from edgecompile.emit.rebuild import Rebuild


def gradle_values(name: str, target: str, rebuild: Rebuild) -> dict[str, Any]:
    """For both Gradle scripts; ``target`` is the id of the profile.

    Where both wrappers are written they are one class, of which an app takes the Kotlin one.
    """
    emit = tuple(word for word in rebuild.emit if word != "gradle")
    words = _arguments(target, rebuild, emit)
    return {
        "title": literals.comment(name),
        "target": literals.comment(target),
        "task": f"edgecompile{class_name(name)}",
        "with_java": "java" in emit and "kotlin" not in emit,
        "with_kotlin": "kotlin" in emit,
        "target_literal": literals.groovy(target),
        "kotlin_target": literals.kotlin(target),
        **_in(literals.groovy, "", words, rebuild, ": ", ":"),
        **_in(literals.kotlin, "kotlin_", words, rebuild, " to ", ""),
    }


def _arguments(target: str, rebuild: Rebuild, emit: tuple[str, ...]) -> tuple[str, ...]:
    return (*rebuild.arguments, "--target", target, *(("--emit", ",".join(emit)) if emit else ()))


def _in(
    quote: Callable[[str], str], prefix: str, words: tuple[str, ...], rebuild: Rebuild, pair: str, empty: str
) -> dict[str, str]:
    found = {
        "base": quote(rebuild.base),
        "arguments": ", ".join(map(quote, words)),
        "environment": ", ".join(f"{quote(k)}{pair}{quote(v)}" for k, v in rebuild.environment) or empty,
        "files": ", ".join(map(quote, rebuild.files)),
        "version": quote(__version__),
    }
    return {f"{prefix}{key}": value for key, value in found.items()}


def cmake_values(name: str, target: str, rebuild: Rebuild) -> dict[str, Any]:
    """For ``edgecompile.cmake``, all texts for the inside of quotes."""
    inside, plain = literals.cmake, identifier(name)
    words = _arguments(target, rebuild, rebuild.emit)
    return {
        "title": literals.comment(name),
        "target": literals.comment(target),
        "library": f"{plain}_model",
        "variable": f"EDGECOMPILE_{plain.upper()}",
        "cmake_title": inside(f"{name} for {target}"),
        "cmake_base": inside(rebuild.base),
        "cmake_target": inside(target),
        "cmake_asset": inside(f"assets/{name}.tflite"),
        "cmake_header": inside(f"include/{plain}.hpp"),
        "cmake_arguments": " ".join(f'"{inside(word)}"' for word in words),
        "cmake_environment": " ".join(f'"{inside(f"{key}={value}")}"' for key, value in rebuild.environment),
        "cmake_files": "\n".join(f'    "${{EDGECOMPILE_PROJECT}}/{inside(file)}"' for file in rebuild.files),
    }
