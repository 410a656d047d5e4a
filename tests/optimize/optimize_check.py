"""What every test of a pass does: run it, look at the operators, compare the outputs."""

from __future__ import annotations

from types import ModuleType

from optimize_judge import MICRO, TFLITE, Judge
from optimize_networks import labels

from edgecompile.ir.network import Network
from edgecompile.ir.writer import write


def rewritten(judge: Judge, module: ModuleType, network: Network, expected: list[str]) -> Network:
    """The network after the pass; its operators are ``expected``, inputs, outputs and answers those of before."""
    after, words = module.run(network)
    assert words and labels(after) == expected, (words, labels(after))
    assert [network.main.tensors[i] for i in network.main.inputs] == [after.main.tensors[i] for i in after.main.inputs]
    assert outer(network) == outer(after)
    same_answers(judge, network, after)
    return after


def untouched(judge: Judge, module: ModuleType, network: Network) -> None:
    """The pass finds nothing to do and gives back the very network; and that one does run."""
    after, words = module.run(network)
    assert words == [] and after is network, words
    verdict = judge.compare(write(network), write(after), TFLITE)
    assert verdict == "equal", verdict


def same_answers(judge: Judge, before: Network, after: Network) -> None:
    """Equal bits from TFLite's reference kernels, and from TFLite Micro's where they take the network."""
    first, second = write(before), write(after)
    verdict = judge.compare(first, second, TFLITE)
    assert verdict == "equal", verdict
    verdict = judge.compare(first, second, MICRO)
    assert verdict == "equal" or verdict.startswith("not run"), verdict


def outer(network: Network) -> list[tuple[str, str, object]]:
    """Names, types and quantization of inputs and outputs."""
    main = network.main
    tensors = [main.tensors[index] for index in (*main.inputs, *main.outputs)]
    return [(tensor.name, str(tensor), tensor.quantization) for tensor in tensors]
