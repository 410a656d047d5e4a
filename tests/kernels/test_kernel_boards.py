"""The kernels' DSP versions on emulated Cortex-M cores against TensorFlow Lite Micro, over all cases of the tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from kernel_board import BOARDS, SAMPLES, hash_of, run_on_board
from kernel_run import Answers, run_all
from test_kernel_elements import CASES as ELEMENTS
from test_kernel_moves import CASES as MOVES
from test_kernel_sums import CASES as SUMS

NEEDED = ("gcc", "arm-none-eabi-gcc", "qemu-system-arm")
LACKING = [program for program in NEEDED if shutil.which(program) is None]
pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"{' and '.join(LACKING)} not installed")
NETWORKS = {case: make() for case, make in {**SUMS, **ELEMENTS, **MOVES}.items()}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Answers]:
    return run_all(NETWORKS, tmp_path_factory.mktemp("host"), ["-O0"])


@pytest.mark.parametrize("board", BOARDS)
def test_every_case_is_exact_on_the_board(answers: dict[str, Answers], board: str, tmp_path: Path) -> None:
    found = run_on_board(NETWORKS, BOARDS[board], tmp_path)

    wanted = {case: [hash_of(answer.micro, sample) for sample in range(SAMPLES)] for case, answer in answers.items()}
    assert found == wanted
