"""Find activation functions in a float network, and put simpler ones in their place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edgecompile.ir.build import settings
from edgecompile.ir.compact import drop_unused
from edgecompile.ir.graph import consumers_of, producers_of, sole_consumer
from edgecompile.ir.network import Network, Operator, Subgraph
from edgecompile.ir.rewrite import redirect, remove_operators, replace_subgraph

# What can be replaced; SWISH is `x * LOGISTIC(x)`, two operators. A gate's LOGISTIC is none of them.
SWISH = "SWISH"
KINDS = (SWISH, "GELU", "ELU", "TANH", "LEAKY_RELU", "PRELU", "HARD_SWISH", "RELU6")
SUBSTITUTES = ("RELU", "RELU6", "HARD_SWISH")
_FUSED_INTO = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "SUB", "MUL", "CONV_3D"})


@dataclass(frozen=True, kw_only=True)
class Activation:
    """``operators`` in their order, the last of which makes ``y`` from ``x`` (tensors)."""

    kind: str
    operators: tuple[int, ...]
    x: int
    y: int


def activations_of(main: Subgraph) -> tuple[Activation, ...]:
    """The activations of KINDS, in order. Those that make an output of the network are its answers, and left out."""
    consumers = consumers_of(main)
    found = []
    for number, operator in enumerate(main.operators):
        one = _swish(main, consumers, number) if operator.name == "LOGISTIC" else None
        if one is None and operator.name in KINDS:
            one = Activation(kind=operator.name, operators=(number,), x=operator.inputs[0], y=operator.outputs[0])
        if one is not None and one.y not in main.outputs:
            found.append(one)
    return tuple(found)


def substituted(network: Network, chosen: Sequence[Activation], name: str) -> Network:
    """The network with operator ``name`` (of SUBSTITUTES) for each activation.

    RELU and RELU6 are fused into what makes their input, as the converter does, wherever that is read by nothing else;
    tensors that layers make keep their names.
    """
    main = network.main
    operators, gone, moved = list(main.operators), set[int](), dict[int, int]()
    producers, consumers = producers_of(main), consumers_of(main)
    for one in chosen:
        last = one.operators[-1]
        gone.update(one.operators[:-1])
        maker = producers.get(one.x)
        if maker is not None and name != "HARD_SWISH" and _takes(main, consumers, one, maker):
            options = {**operators[maker].options, "fused_activation_function": name}
            operators[maker] = replace(operators[maker], options=options)
            gone.add(last)
            moved[one.y] = one.x
        else:
            operators[last] = Operator(name=name, inputs=(one.x,), outputs=(one.y,), options=settings(name, {}))
    changed = redirect(replace(main, operators=tuple(operators)), moved)
    return drop_unused(replace_subgraph(network, remove_operators(changed, gone)))


def _swish(main: Subgraph, consumers: Mapping[int, tuple[int, ...]], number: int) -> Activation | None:
    gate = main.operators[number]
    reader = sole_consumer(main, consumers, gate.outputs[0])
    if reader is None or main.operators[reader].name != "MUL":
        return None
    product = main.operators[reader]
    if set(product.inputs) != {gate.inputs[0], gate.outputs[0]}:
        return None
    if product.options.get("fused_activation_function", "NONE") != "NONE":
        return None
    return Activation(kind=SWISH, operators=(number, reader), x=gate.inputs[0], y=product.outputs[0])


def _takes(main: Subgraph, consumers: Mapping[int, tuple[int, ...]], one: Activation, maker: int) -> bool:
    operator = main.operators[maker]
    return (
        operator.name in _FUSED_INTO
        and operator.options.get("fused_activation_function", "NONE") == "NONE"
        and set(consumers[one.x]) <= set(one.operators)
        and one.x not in main.outputs
    )
