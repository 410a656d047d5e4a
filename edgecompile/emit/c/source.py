"""``MODEL.c``: the constants, one function for each operator, and the calls in order.

Operators that differ in their constants and tensors only share one instance of their kernel.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from edgecompile.emit.c.literals import array, comment, number
from edgecompile.emit.emission import Layout
from edgecompile.ir.network import Tensor
from edgecompile.kernels.alike import kind_of, kinds_of
from edgecompile.kernels.program import Program
from edgecompile.kernels.quantities import zero_point_of
from edgecompile.kernels.routine import C_TYPES, Array, Call, Routine


def source(name: str, program: Program, layout: Layout) -> str:
    """The text; it includes ``NAME.h`` and ``kernels/*.h`` and nothing else of its own."""
    return _Source(name, program, layout).text()


def headers_of(program: Program) -> tuple[str, ...]:
    """Kernels that the program calls, in order of name."""
    return tuple(sorted({call.kernel for routine in program.routines for call in routine.calls}))


class _Source:
    """Collects constants while it writes the operators, so that equal ones are stored once."""

    def __init__(self, name: str, program: Program, layout: Layout) -> None:
        self.name, self.program, self.layout = name, program, layout
        self.graph = program.subgraph
        self.constants: dict[tuple[str, bytes], str] = {}
        self.definitions: list[str] = []
        self.alike = kinds_of(program)
        self.shared: dict[object, str] = {}
        self.functions: list[str] = []

    def text(self) -> str:
        operators = [self._operator(index, routine) for index, routine in enumerate(self.program.routines)]
        functions = self._functions()
        includes = "\n".join(f'#include "kernels/{kernel}.h"' for kernel in headers_of(self.program))
        parts = [
            f"/* The model `{self.name}` as a C library. Written by edgecompile; do not edit. */",
            f'#include "{self.name}.h"\n\n#include <string.h>\n\n#include "kernels/rounding.h"\n{includes}',
            _HOOK,
            *self.definitions,
            *self.functions,
            *(text for text in operators if text),
            functions,
        ]
        return "\n\n".join(parts) + "\n"

    def _operator(self, index: int, routine: Routine) -> str:
        """A function that runs one operator; empty for one that has nothing to do."""
        if not routine.calls:
            return ""
        operator = self.graph.operators[index]
        inputs = ", ".join(_signature(self.graph.tensor(i)) for i in operator.inputs)
        outputs = ", ".join(_signature(self.graph.tensors[i]) for i in operator.outputs)
        title = f"/* {index}: {comment(operator.label)}({inputs}) -> {outputs} */"
        layers, calls = [], []
        for number_, call in enumerate(routine.calls):
            layer = f"{self.name}_layer_{index}" + (f"_{number_}" if len(routine.calls) > 1 else "")
            places = list(self._places_of(index, call))
            if self.alike[kind_of(self.graph, call)] > 1:
                constants = [self._constant(field, values) for field, values in call.constants.items()]
                calls.append(f"    {self._shared(call)}({', '.join([*constants, *places])});")
                continue
            if call.settings or call.constants:
                layers.append(self._layer(layer, call))
                places.insert(0, f"&{layer}")
            calls.append(f"    ec_{call.kernel}({', '.join(places)});")
        body = "\n".join(calls)
        head = f"EC_SHARED void {self.name}_operator_{index}(uint8_t *arena)"
        return "\n".join([title, *layers, f"{head}\n{{\n{body}\n}}"])

    def _layer(self, layer: str, call: Call) -> str:
        fields = [f".{field} = {self._constant(field, values)}," for field, values in call.constants.items()]
        fields += [f".{field} = {number(value)}," for field, value in call.settings.items()]
        rows = "\n".join(f"    {row}" for row in fields)
        return f"static const ec_{call.kernel}_layer {layer} = {{\n{rows}\n}};"

    def _shared(self, call: Call) -> str:
        """The name of the kernel made for this call's settings, which takes constants and tensors."""
        kind = kind_of(self.graph, call)
        if kind not in self.shared:
            self.shared[kind] = f"{self.name}_{call.kernel}_{len(self.shared)}"
            self.functions.append(self._shared_function(self.shared[kind], call))
        return self.shared[kind]

    def _shared_function(self, name: str, call: Call) -> str:
        taken = [f"const {C_TYPES[values.dtype.name]} *{_word(field)}" for field, values in call.constants.items()]
        tensors = [f"const {_type_of(self.graph.tensors[i])} *input_{n}" for n, i in enumerate(call.inputs)]
        tensors += [f"{_type_of(self.graph.tensors[i])} *output_{n}" for n, i in enumerate(call.outputs)]
        tensors += ["void *scratch"] if call.scratch else []
        fields = [f".{field} = {_word(field)}," for field in call.constants]
        fields += [f".{field} = {number(value)}," for field, value in call.settings.items()]
        rows = "\n".join(f"        {row}" for row in fields)
        words = ", ".join(["&layer", *(tensor.split("*")[-1] for tensor in tensors)])
        head = f"EC_SHARED void {name}({', '.join([*taken, *tensors])})"
        body = f"    const ec_{call.kernel}_layer layer = {{\n{rows}\n    }};\n    ec_{call.kernel}({words});"
        return f"/* For all operators with these settings. */\n{head}\n{{\n{body}\n}}"

    def _places_of(self, index: int, call: Call) -> Iterator[str]:
        for tensor in call.inputs:
            yield self._place(tensor, "const ")
        for tensor in call.outputs:
            yield self._place(tensor, "")
        if call.scratch:
            yield f"arena + {self.layout.scratch[index]}"

    def _place(self, index: int, constant: str) -> str:
        tensor = self.graph.tensors[index]
        if tensor.array is not None:
            return self._constant("constant", tensor.array)
        return f"({constant}{_type_of(tensor)} *)(void *)(arena + {self.layout.offsets[index]})"

    def _constant(self, role: str, values: Array) -> str:
        values = np.ascontiguousarray(values)
        key = (values.dtype.name, values.tobytes())
        if key not in self.constants:
            self.constants[key] = f"{self.name}_{_word(role)}_{len(self.constants)}"
            self.definitions.append(array(self.constants[key], values))
        return self.constants[key]

    def _functions(self) -> str:
        inputs = _places("void", self.layout, self.graph.inputs)
        outputs = _places("const void", self.layout, self.graph.outputs)
        steps = []
        for index, routine in enumerate(self.program.routines):
            if routine.calls:
                steps.append(f"    {self.name}_operator_{index}((uint8_t *)arena);")
            for tensor in self.graph.operators[index].outputs:
                size, offset = self.graph.tensors[tensor].size_bytes, self.layout.offsets.get(tensor)
                if tensor in self.program.unstored:
                    size, offset = 0, 0
                if offset is not None:
                    steps.append(
                        f"    EDGECOMPILE_AFTER_OPERATOR({index}, {tensor}, (uint8_t *)arena + {offset}, {size});"
                    )
        return _FUNCTIONS.format(
            name=self.name,
            inputs=inputs,
            outputs=outputs,
            steps="\n".join(steps),
            states="".join(self._states()) or " (void)arena;",
        )

    def _states(self) -> Iterator[str]:
        """What an arena's variables begin with: what the model says, else zero (of tensors of int8: the zero point)."""
        kept = {state[0]: state[1:] for routine in self.program.routines for state in routine.states}
        for index, (size, empty) in kept.items():
            place, values = f"(uint8_t *)arena + {self.layout.offsets[index]}", self.program.initial.get(index)
            if values is None:
                yield f"\n    memset({place}, {empty}, {size});"
            else:
                yield f"\n    memcpy({place}, {self._constant('initial', values)}, {size});"
        for index, tensor in enumerate(self.graph.tensors):
            offset = self.layout.offsets.get(index)
            if tensor.is_variable and offset is not None:
                zero = zero_point_of(tensor) if tensor.dtype == "int8" and tensor.quantization is not None else 0
                yield f"\n    memset((uint8_t *)arena + {offset}, {zero}, {tensor.size_bytes});"


def _word(field: str) -> str:
    """A field of a struct in a struct as one word."""
    return field.replace(".", "_")


def _type_of(tensor: Tensor) -> str:
    """A handle stands for the bytes of its variable."""
    return C_TYPES.get(tensor.dtype, "uint8_t")


def _places(kind: str, layout: Layout, tensors: tuple[int, ...]) -> str:
    source = "const uint8_t" if kind.startswith("const") else "uint8_t"
    cases = "\n".join(
        f"    case {index}: return ({source} *)arena + {layout.offsets[tensor]};"
        for index, tensor in enumerate(tensors)
    )
    return f"    switch (index) {{\n{cases}\n    default: return 0;\n    }}"


def _signature(tensor: Tensor | None) -> str:
    return "none" if tensor is None else str(tensor)


_HOOK = """\
/* Called with each operator's index, output tensor, its place and its bytes; for tests and profiles. */
#ifndef EDGECOMPILE_AFTER_OPERATOR
#define EDGECOMPILE_AFTER_OPERATOR(operator_index, tensor, place, bytes) ((void)0)
#endif"""

_FUNCTIONS = """\
void {name}_init(void *arena) {{{states} }}

void *{name}_input(void *arena, int index)
{{
{inputs}
}}

const void *{name}_output(const void *arena, int index)
{{
{outputs}
}}

void {name}_invoke(void *arena)
{{
    (void)arena;
{steps}
}}"""
