"""Rewrites give new networks with what was asked for, and compacting leaves nothing dangling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from ir_networks import changed, conv_network, raw_model
from ir_walk import differences

from edgecompile.ir import rewrite
from edgecompile.ir.build import NetworkBuilder
from edgecompile.ir.compact import drop_unused
from edgecompile.ir.network import Buffer, Network, Tensor
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write


def fresh() -> Network:
    return read(write(conv_network()))


def without_reshape(network: Network) -> Network:
    """SOFTMAX reads what CONV_2D gives; the RESHAPE, its shape and its output are left unused."""
    main = rewrite.remove_operators(rewrite.redirect(network.main, {5: 3}), [1])
    return rewrite.replace_subgraph(network, main)


def test_rewrites_leave_the_old_network_as_it_was() -> None:
    network = fresh()
    before = write(network)

    drop_unused(without_reshape(network))

    assert write(network) == before


def test_removed_operators_are_gone_and_their_readers_redirected() -> None:
    main = without_reshape(fresh()).main

    assert [(operator.name, operator.inputs, operator.outputs) for operator in main.operators] == [
        ("CONV_2D", (0, 1, 2), (3,)),
        ("SOFTMAX", (3,), (6,)),
    ]


def test_an_operator_is_replaced_by_several() -> None:
    network = fresh()
    softmax = network.main.operators[2]
    main, (middle,) = rewrite.add_tensors(network.main, [replace(network.main.tensors[6], name="middle")])
    first, second = replace(softmax, outputs=(middle,)), replace(softmax, inputs=(middle,))

    main = rewrite.replace_operator(main, 2, first, second)

    assert middle == 7
    assert [operator.outputs for operator in main.operators] == [(3,), (5,), (7,), (6,)]
    assert read(write(rewrite.replace_subgraph(network, main))).main.operators == main.operators


def test_a_tensor_is_replaced_and_its_new_constant_stored() -> None:
    network = fresh()
    bias = Tensor(name="b", shape=(4,), dtype="int32", buffer=Buffer(np.arange(4, dtype="<i4").tobytes()))

    again = read(write(rewrite.replace_subgraph(network, rewrite.replace_tensor(network.main, 2, bias))))

    assert again.main.tensors[2].array is not None
    assert again.main.tensors[2].array.tolist() == [0, 1, 2, 3]


def test_outputs_are_redirected_in_signatures_too_under_their_old_names() -> None:
    network = rewrite.redirect_outputs(fresh(), {6: 5})

    assert network.main.outputs == (5,)
    assert network.signatures[0].outputs == {"y": 5}
    assert read(write(network)).signatures == network.signatures


def test_what_is_unused_is_dropped_and_the_rest_renumbered() -> None:
    network = drop_unused(without_reshape(fresh()))

    assert [tensor.name for tensor in network.main.tensors] == ["x", "w", "b", "c", "y"]
    assert [(o.name, o.inputs, o.outputs) for o in network.main.operators] == [
        ("CONV_2D", (0, 1, 2), (3,)),
        ("SOFTMAX", (3,), (4,)),
    ]
    assert network.signatures[0].outputs == {"y": 4}
    model = raw_model(write(network))
    assert [len(b.data) if b.data is not None else 0 for b in model.buffers] == [0, 108, 16]
    assert [code.builtinCode for code in model.operatorCodes] == [3, 25]
    assert list(differences(read(write(network)), network, ignore=("raw",))) == []


def test_there_is_nothing_to_drop_when_all_is_used() -> None:
    network = fresh()

    assert write(drop_unused(network)) == write(network)


def test_dropping_twice_changes_nothing_more() -> None:
    once = drop_unused(without_reshape(fresh()))

    assert write(drop_unused(once)) == write(once)


def test_a_network_that_was_never_in_a_file_is_compacted_too() -> None:
    network = drop_unused(without_reshape(conv_network()))

    assert write(network) == write(read(write(network)))
    assert len(network.main.tensors) == 5


def test_intermediates_and_the_old_metadata_list_are_renumbered() -> None:
    def change(model: Any) -> None:
        model.subgraphs[0].operators[2].intermediates = np.array([6, -1], np.int32)
        model.metadataBuffer = np.array([2], np.int32)

    network = drop_unused(without_reshape(read(changed(write(conv_network()), change))))

    model = raw_model(write(network))
    assert model.subgraphs[0].operators[1].intermediates.tolist() == [4, -1]
    assert model.metadataBuffer.tolist() == [2]
    assert len(model.buffers[2].data) == 16


def test_a_memory_plan_by_tensor_number_is_dropped_when_numbers_change_and_kept_when_not() -> None:
    plans = {"OfflineMemoryAllocation": Buffer(b"\1\0\0\0"), "note": Buffer(b"n")}
    network = replace(fresh(), metadata=plans)

    assert list(drop_unused(without_reshape(network)).metadata) == ["note"]
    assert list(drop_unused(network).metadata) == list(plans)


def test_each_subgraph_is_compacted_by_its_own_numbers() -> None:
    build = NetworkBuilder("second")
    build.tensor("unused", (1,))
    x, y = build.input("x", (4,)), build.tensor("y", (4,))
    build.op("RELU", [x], [y])
    network = fresh()

    dropped = drop_unused(replace(network, subgraphs=(network.main, build.output(y).subgraph())))

    assert len(dropped.subgraphs[0].tensors) == 7
    assert [tensor.name for tensor in dropped.subgraphs[1].tensors] == ["x", "y"]
    assert dropped.subgraphs[1].operators[0].inputs == (0,)
    assert read(write(dropped)).subgraphs[1].operators[0].name == "RELU"
