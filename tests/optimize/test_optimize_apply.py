"""All passes together: what they find in real models keeps every bit of the outputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from optimize_check import outer, same_answers
from optimize_judge import MICRO, TFLITE, Judge
from optimize_networks import Net, labels

from edgecompile.ir.network import Buffer, Network
from edgecompile.optimize.apply import _counted, apply, passes


def everything() -> Network:
    """Something for every pass, one thing uncovering the next."""
    net = Net()
    source = net.tensor((1, 8, 8, 4), zero=-7, name="in")
    same, padded = net.tensor((1, 8, 8, 4), zero=-7), net.tensor((1, 9, 9, 4), zero=-7)
    made, clamped = (net.tensor((1, 4, 4, 4), zero=-7) for _ in range(2))
    flat, flatter, result = (
        net.tensor((1, 64), zero=-7),
        net.tensor((64,), zero=-7),
        net.tensor((8, 8), zero=-7, name="out"),
    )
    net.op("TRANSPOSE", [source, net.constant([0, 1, 2, 3])], [same], 2)
    net.op("PAD", [same, net.constant([[0, 0], [0, 1], [0, 1], [0, 0]])], [padded], 2)
    net.conv(padded, made, stride_h=2, stride_w=2, padding="VALID")
    net.op("RELU", [made], [clamped], 2)
    net.op("RESHAPE", [clamped, net.constant([1, 64])], [flat], new_shape=(1, 64))
    shape = net.tensor((1,), "int32")
    net.op("MUL", [net.constant([8]), net.constant([8])], [shape], fused_activation_function="NONE")
    net.op("RESHAPE", [flat, shape], [flatter], new_shape=(64,))
    net.op("RESHAPE", [flatter, net.constant([8, 8])], [result], new_shape=(8, 8))
    return net.network([source], [result], signature=True)


def test_passes_work_hand_in_hand(judge: Judge) -> None:
    network = everything()

    optimized = apply(network)

    assert labels(optimized.network) == ["CONV_2D+RELU", "RESHAPE"]
    assert {change.pass_name: change.count for change in optimized.changes} == {
        "drop_identities": 1,
        "merge_reshapes": 2,
        "fold_constants": 1,
        "fuse_activations": 1,
        "fuse_pads": 1,
        "share_buffers": 1,
        "remove_dead": 18,
    }
    assert outer(optimized.network) == outer(network)
    same_answers(judge, network, optimized.network)


def test_a_second_time_finds_nothing() -> None:
    once = apply(everything()).network

    again = apply(once)

    assert again.network is once and again.changes == ()


def test_passes_run_in_their_declared_order() -> None:
    orders = [module.ORDER for module in passes()]

    assert orders == sorted(set(orders))
    assert all(module.run.__doc__ and "=" in module.run.__doc__ for module in passes())


@pytest.mark.parametrize("name", ["OfflineMemoryAllocation", "model_control_dependencies"])
def test_a_network_whose_metadata_counts_tensors_is_left_alone(name: str) -> None:
    network = replace(everything(), metadata={name: Buffer(bytes(4))})

    assert apply(network).network is network


def models(folder: Path) -> list[Path]:
    return sorted([*(folder / "tflite").glob("*.tflite"), *(folder / "cortexm").glob("*.tflite")])


@pytest.mark.data
@pytest.mark.micro
def test_every_model_of_the_corpus_answers_as_before(data: Path, judge: Judge) -> None:
    from edgecompile.ir.reader import read
    from edgecompile.ir.writer import write

    verdicts: dict[str, str] = {}
    for path in models(data):
        network = read(path.read_bytes())
        optimized = apply(network).network
        assert outer(optimized) == outer(network), path.name
        before, after = write(network), write(optimized)
        assert len(after) <= len(before), path.name
        for runtime in (TFLITE, MICRO):
            verdicts[f"{path.name} in {runtime.name}"] = judge.compare(before, after, runtime, samples=2)

    different = {name: verdict for name, verdict in verdicts.items() if verdict.startswith("different")}
    assert different == {}
    assert sum(verdict == "equal" for verdict in verdicts.values()) >= EQUAL


# Pairs of a model and an interpreter that run here; the others need operators or types that the interpreter lacks.
EQUAL = 133


def test_what_was_done_more_than_once_is_told_in_the_plural() -> None:
    words = ["CONV_2D channel", "buffer", "CONV_2D channel", "RESHAPE", "RESHAPE"]

    assert _counted(words) == "2 CONV_2D channels, 2 RESHAPE, 1 buffer"
