"""Operators with 16-bit activations inside an int8 network: taken from the int16x8 network of the same floats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from edgecompile.compress.simulate.quantizers import is_quantized
from edgecompile.compress.sites import names_of
from edgecompile.ir.compact import drop_unused
from edgecompile.ir.network import Network, Operator, Subgraph, Tensor
from edgecompile.ir.rewrite import replace_subgraph

_ENDS = ("QUANTIZE", "DEQUANTIZE")


def surroundings(integers: Network, name: str) -> tuple[str, ...]:
    """The operator that makes the tensor and those that read it, by the first tensor that each makes.

    A value has 16 bits only where the operator that makes it and all that read it compute with 16: the kernels'
    inputs and outputs are of one kind.
    """
    main = integers.main
    makers = [one for one in main.operators if one.outputs and name in names_of(main, one)]
    made = {index for one in makers for index in one.outputs}
    readers = [one for one in main.operators if made & set(one.inputs)]
    return tuple(dict.fromkeys(main.tensors[one.outputs[0]].name for one in (*makers, *readers) if one.outputs))


def with_islands(integers: Network, sixteen: Network, names: Iterable[str]) -> tuple[Network, tuple[str, ...]]:
    """The int8 network with 16-bit activations in the operators that make the tensors ``names``, and which those are.

    ``sixteen``: the int16x8 network of the same float network, which may have operators in other numbers where it
    must; such ones, and those that are built otherwise there, stay as they are. A QUANTIZE stands where 8 bits become
    16, and back. Weights and biases are the int16x8 network's (biases int64); what was held of them has to be written
    over both again.
    """
    twins = _twins(integers.main, sixteen.main, set(names))
    if not twins:
        return integers, ()
    splice = _Splice(main=integers.main, donor=sixteen.main, tensors=list(integers.main.tensors))
    for number, operator in enumerate(integers.main.operators):
        if number in twins:
            splice.widen(operator, twins[number])
        else:
            splice.keep(operator)
    main = replace(integers.main, tensors=tuple(splice.tensors), operators=splice.needed())
    taken = tuple(integers.main.tensors[integers.main.operators[number].outputs[0]].name for number in twins)
    return drop_unused(replace_subgraph(integers, main)), taken


def _twins(main: Subgraph, donor: Subgraph, names: set[str]) -> dict[int, Operator]:
    """Number of an operator to the one that makes the same tensor of 16 bits from such ones."""
    there = {name: one for one in donor.operators if one.outputs for name in names_of(donor, one)}
    found = {}
    for number, operator in enumerate(main.operators):
        own = names_of(main, operator) if operator.outputs else ()
        twin = next((there[name] for name in own if name in there), None)
        if names & set(own) and twin is not None and _alike(main, operator, donor, twin):
            found[number] = twin
    return found


def _alike(main: Subgraph, one: Operator, donor: Subgraph, other: Operator) -> bool:
    """Whether the one can be replaced by the other: same kind, same values, activations of 8 and of 16 bits."""
    pairs = [*zip(one.inputs, other.inputs, strict=False), *zip(one.outputs, other.outputs, strict=False)]
    if (one.name, len(one.inputs), len(one.outputs)) != (other.name, len(other.inputs), len(other.outputs)):
        return False
    return one.name not in _ENDS and all(_fits(main.tensor(a), donor.tensor(b)) for a, b in pairs)


def _fits(mine: Tensor | None, other: Tensor | None) -> bool:
    if mine is None or other is None:
        return mine is other
    if mine.shape != other.shape or mine.is_variable or other.is_variable or mine.is_constant != other.is_constant:
        return False
    if mine.is_constant or not is_quantized(mine):
        return True
    return mine.dtype == "int8" and other.dtype == "int16" and is_quantized(other)


@dataclass(kw_only=True)
class _Splice:
    """The network as it grows; ``wide`` are the 16-bit forms of its tensors, ``made`` those that are computed so."""

    main: Subgraph
    donor: Subgraph
    tensors: list[Tensor]
    operators: list[Operator] = field(default_factory=list)
    wide: dict[int, int] = field(default_factory=dict)
    made: set[int] = field(default_factory=set)
    constants: dict[int, int] = field(default_factory=dict)

    def keep(self, operator: Operator) -> None:
        """The operator as it is; what turns a value into float reads its 16 bits where there are such."""
        if operator.name == "DEQUANTIZE" and operator.inputs[0] in self.made:
            operator = replace(operator, inputs=(self.wide[operator.inputs[0]],), version=3)
        self.operators.append(operator)

    def widen(self, operator: Operator, twin: Operator) -> None:
        """The twin in the operator's place, which reads and makes 16 bits, and its results in 8 bits behind it."""
        inputs = [self._read(*pair) for pair in zip(operator.inputs, twin.inputs, strict=True)]
        outputs = [self._make(*pair) for pair in zip(operator.outputs, twin.outputs, strict=True)]
        self.operators.append(replace(twin, inputs=tuple(inputs), outputs=tuple(outputs)))
        pairs = zip(operator.outputs, outputs, strict=True)
        self.operators.extend(_quantize(wide, index) for index, wide in pairs if wide != index)

    def needed(self) -> tuple[Operator, ...]:
        """Without values in 8 bits that nobody reads."""
        read = {index for one in self.operators for index in one.inputs} | set(self.main.outputs)
        return tuple(one for one in self.operators if one.name != "QUANTIZE" or one.outputs[0] in read)

    def _read(self, index: int, other: int) -> int:
        mine, given = self.main.tensor(index), self.donor.tensor(other)
        if mine is None or given is None:
            return index
        if mine.is_constant:
            return self._constant(other) if is_quantized(given) else index
        if index not in self.wide and is_quantized(mine):
            self.wide[index] = self._added(given, mine.name + "_int16")
            self.operators.append(_quantize(self._source(index), self.wide[index]))
        return self.wide.get(index, index)

    def _source(self, index: int) -> int:
        """What is turned into 16 bits: the value in float, where it is in float before it has 8."""
        maker = next((one for one in self.main.operators if index in one.outputs), None)
        before = maker.inputs[0] if maker is not None and maker.name == "QUANTIZE" else index
        return before if self.main.tensors[before].dtype == "float32" else index

    def _make(self, index: int, other: int) -> int:
        """The 16-bit result, which takes the name unless the network gives it out: steps find layers by names."""
        mine = self.main.tensors[index]
        if not is_quantized(mine):
            return index
        is_end = index in self.main.outputs
        self.wide[index] = self._added(self.donor.tensors[other], mine.name + "_int16" if is_end else mine.name)
        self.made.add(index)
        if not is_end:
            self.tensors[index] = replace(mine, name=mine.name + "_int8")
        return self.wide[index]

    def _constant(self, other: int) -> int:
        if other not in self.constants:
            self.constants[other] = self._added(self.donor.tensors[other], self.donor.tensors[other].name)
        return self.constants[other]

    def _added(self, tensor: Tensor, name: str) -> int:
        self.tensors.append(replace(tensor, name=name))
        return len(self.tensors) - 1


def _quantize(before: int, after: int) -> Operator:
    return Operator(name="QUANTIZE", inputs=(before,), outputs=(after,), version=2)
