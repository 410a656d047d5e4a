"""Arduino: a library folder that the IDE and `arduino-cli` take in, with a sketch.

"Arduino Library Specification" 1.5: `library.properties`, `src/`, `examples/`.
"""

from __future__ import annotations

from pathlib import Path

from edgecompile.core.artifact import Artifact, describe
from edgecompile.core.diagnostic import Diagnostic
from edgecompile.emit.c.refusals import unwritten
from edgecompile.emit.c_names import identifier
from edgecompile.emit.emission import Emission
from edgecompile.emit.emitters import c_library
from edgecompile.kernels.program import Program
from edgecompile.kernels.routine import C_TYPES

NAME = "arduino"


def review(emission: Emission) -> tuple[Diagnostic, ...]:
    """EC640 where there is no C library to take in."""
    return unwritten(emission, NAME)


def emit(emission: Emission, folder: Path) -> tuple[Artifact, ...]:
    """``arduino/MODEL/`` with the C library in ``src``; nothing for a network that some operator keeps from being C.

    The library has the sources a second time: an Arduino library is one folder that is copied whole.
    """
    if emission.program is None or emission.layout is None:
        return ()
    name = identifier(emission.name)
    place = f"arduino/{name}"
    (folder / place / "src").mkdir(parents=True, exist_ok=True)
    (folder / place / "examples" / f"run_{name}").mkdir(parents=True, exist_ok=True)
    texts = {"library.properties": _PROPERTIES, f"examples/run_{name}/run_{name}.ino": _SKETCH}
    words = _words(emission.program, name)
    written = []
    for path, text in texts.items():
        for word, value in words.items():
            text = text.replace(word, value)
        (folder / place / path).write_text(text, encoding="ascii")
        written.append(describe(folder, f"{place}/{path}", "arduino"))
    sources = c_library.emit(emission, folder / place / "src")
    return (*written, *(describe(folder, f"{place}/src/{source.path}", "arduino") for source in sources))


def _words(program: Program, name: str) -> dict[str, str]:
    """What stands for the words in the texts; types are those of the first input and output."""
    graph = program.subgraph
    first = {"@INPUT@": graph.inputs[0], "@OUTPUT@": graph.outputs[0]}
    types = {word: C_TYPES[graph.tensors[index].dtype] for word, index in first.items()}
    return {"@NAME@": name, "@UPPER@": name.upper(), **types}


_PROPERTIES = """\
name=@NAME@
version=1.0.0
author=edgecompile
maintainer=edgecompile
sentence=The model @NAME@, compiled to C.
paragraph=No heap, no interpreter, no dependency. Written by edgecompile.
category=Data Processing
url=https://example.invalid/@NAME@
architectures=*
includes=@NAME@.h
"""

_SKETCH = """\
/* Runs the model `@NAME@` again and again and prints its first output. Written by edgecompile; a start. */
#include <@NAME@.h>

static union {
  uint64_t alignment;
  uint8_t bytes[@UPPER@_ARENA_BYTES];
} arena;

void setup() {
  Serial.begin(115200);
  @NAME@_init(arena.bytes);
}

void loop() {
  @INPUT@ *input = static_cast<@INPUT@ *>(@NAME@_input(arena.bytes, 0));
  for (long i = 0; i < static_cast<long>(@UPPER@_INPUT_0_ELEMENTS); ++i) {
    input[i] = 0; /* your samples, quantized as @NAME@.h says */
  }
  const unsigned long begun = micros();
  @NAME@_invoke(arena.bytes);
  const unsigned long spent = micros() - begun;
  const @OUTPUT@ *output = static_cast<const @OUTPUT@ *>(@NAME@_output(arena.bytes, 0));
  Serial.print(output[0]);
  Serial.print(" in ");
  Serial.print(spent);
  Serial.println(" us");
  delay(1000);
}
"""
