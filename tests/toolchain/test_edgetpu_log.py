"""Logs of `edgetpu_compiler` as data: those that succeed, those that fail, and texts that are no such log."""

from __future__ import annotations

import pytest
from toolchain_programs import FAILURE, SUCCESS, row

from edgecompile.toolchain.edgetpu_log import Row, read_log

MAPPED = "Mapped to Edge TPU"
OLD = """Edge TPU Compiler version 2.0.291256449
Input: m.tflite
Output: m_edgetpu.tflite

Operator                       Count      Status

SOFTMAX                        1          Mapped to Edge TPU
CONV_2D                        2          More than one subgraph is not supported
"""


def test_a_log_of_version_16_is_read_whole() -> None:
    text = SUCCESS.format(
        name="m",
        cached="566.75KiB",
        total=18,
        rows="\n".join([row("CONV_2D", 15, MAPPED), row("MAX_POOL_2D", 3, MAPPED)]),
    )

    log = read_log(text)

    assert log.known and log.failure == ""
    assert (log.version, log.subgraphs, log.operations, log.on_accelerator, log.on_cpu) == (
        "16.0.384591198", 1, 18, 18, 0,
    )  # fmt: skip
    assert log.rows == (
        Row(name="CONV_2D", count=15, status=MAPPED),
        Row(name="MAX_POOL_2D", count=3, status=MAPPED),
    )
    assert (log.cached_bytes, log.streamed_bytes, log.free_bytes) == (580352, 0, round(7.13 * 1024**2))


def test_the_table_of_an_old_log_is_read_though_it_says_no_more() -> None:
    log = read_log(OLD)

    assert log.version == "2.0.291256449"
    assert [(one.name, one.count) for one in log.rows] == [("SOFTMAX", 1), ("CONV_2D", 2)]
    assert log.rows[1].status == "More than one subgraph is not supported"
    assert log.cached_bytes is None and log.operations is None


@pytest.mark.parametrize(
    "reason",
    [
        "Compilation failed due to large activation tensors in model.",
        "Model not quantized",
        "Invalid model: m.tflite Model could not be parsed",
        "Internal compiler error. Aborting!",
        "Didn't find op for builtin opcode 'QUANTIZE' version '3'",
    ],
)
def test_a_failure_is_told_in_the_compilers_own_line(reason: str) -> None:
    log = read_log(FAILURE.format(reason=reason))

    assert log.known and reason in log.failure


@pytest.mark.parametrize(
    "text", ["", "hello\n", "\x00\xff" * 40, "Operator Count Status\n", "Edge TPU Compiler version 99"]
)
def test_a_text_that_is_no_log_says_so(text: str) -> None:
    assert not read_log(text).known
