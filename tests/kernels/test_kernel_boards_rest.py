"""The kernels of whole numbers beyond the first tables on an emulated Cortex-M4 against TensorFlow Lite Micro.

float32 is left out: the boards' C library has functions of its own.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kernel_board import BOARDS, SAMPLES, hash_of, run_on_board
from kernel_run import run_all
from test_kernel_binary import CASES as BINARY
from test_kernel_convert import CASES as CONVERT
from test_kernel_picks import CASES as PICKS
from test_kernel_wide import CASES as WIDE

from edgecompile.ir.network import Network

NEEDED = ("gcc", "arm-none-eabi-gcc", "qemu-system-arm")
LACKING = [program for program in NEEDED if shutil.which(program) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed"),
]


def whole(network: Network) -> bool:
    return all(tensor.dtype != "float32" for tensor in network.main.tensors)


def test_every_case_of_whole_numbers_is_exact_on_the_board(tmp_path: Path) -> None:
    made = {case: make() for case, make in {**BINARY, **CONVERT, **PICKS, **WIDE}.items()}
    networks = {case: network for case, network in made.items() if whole(network)}
    (tmp_path / "host").mkdir()
    (tmp_path / "board").mkdir()

    answers = run_all(networks, tmp_path / "host", ["-O0"])
    found = run_on_board(networks, BOARDS["m4, dsp"], tmp_path / "board")

    wanted = {case: [hash_of(answer.micro, sample) for sample in range(SAMPLES)] for case, answer in answers.items()}
    assert found == wanted
