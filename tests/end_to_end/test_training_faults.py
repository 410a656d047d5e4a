"""Training that goes wrong, through the command line: the loss, memory, and the process that trains."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgecompile.cli.main import main

pytestmark = [pytest.mark.tensorflow, pytest.mark.usefixtures("small_project")]

BUILD = ["build", "small.h5", "-t", "android-nnapi", "--data", "small.npz", "--recipe", "r.toml"]
# 270 samples are left of 300: four batches of 64 in an epoch. It fails in the second unless there is a file.
FAILS = """
import os
from pathlib import Path
import numpy as np

calls = []

def change(x, y, seeds):
    calls.append(1)
    if len(calls) > 5 and not Path(r"{mended}").exists():
        {fault}
    return x
"""


def _recipe(folder: Path, step: str) -> None:
    (folder / "r.toml").write_text(f"schema = 1\nsteps = [{{ {step} }}]\n")


def _failing(folder: Path, fault: str, step: str = "finetune") -> None:
    (folder / "own.py").write_text(FAILS.format(mended=folder / "mended", fault=fault))
    _recipe(folder, f'pass = "{step}", epochs = 3, augment = ["own.py:change"]')


def test_a_loss_that_is_no_number_leaves_the_network_as_it_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _recipe(tmp_path, 'pass = "finetune", epochs = 2, learning_rate = 1e30')

    code = main(BUILD)

    report = json.loads((tmp_path / "build/android-nnapi/report.json").read_text())
    (told,) = [one for one in report["diagnostics"] if one["code"] == "EC311"]
    scores = [row["score"] for row in report["details"]["compression records"]["steps"][:2]]
    assert code == 0
    assert told["message"] == "training stopped at step 2 of 8: the loss is no number any more"
    assert told["location"]["detail"] == "`finetune epochs 2 learning_rate 1e+30`"
    assert told["notes"][1] == "kept: the network from before training"
    assert scores[0] == scores[1]
    assert "warning[EC311]" in capsys.readouterr().err


def test_a_loss_that_is_no_number_before_the_zeros_are_there_refuses_the_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _recipe(tmp_path, 'pass = "prune", epochs = 2, course = "polynomial", learning_rate = 1e30')

    code = main(BUILD)

    assert code == 1
    assert "error[EC311]" in capsys.readouterr().err
    assert not (tmp_path / "build/android-nnapi").exists()


def test_memory_that_runs_out_is_told_and_the_same_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _failing(tmp_path, "np.empty(1 << 60, np.uint8)")

    first = main(BUILD)
    told = " ".join(capsys.readouterr().err.split())
    (tmp_path / "mended").touch()
    second = main(BUILD)

    assert (first, second) == (1, 0), told
    assert "error[EC314]: training ran out of memory with batches of 64 samples" in told
    assert "note: in epoch 2 of 3" in told
    assert "note: kept: the state after epoch 1, from which the same command goes on" in told
    assert "note: Unable to allocate" in told
    assert "batch_size = 16" in told
    assert "taken over from an earlier run: 1 of 3 epochs" in " ".join(capsys.readouterr().err.split())


def test_a_process_that_is_killed_in_training_is_not_told_as_the_converters_death(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _failing(tmp_path, "os.kill(os.getpid(), 9)")

    code = main(BUILD)

    told = " ".join(capsys.readouterr().err.split())
    assert code == 1
    assert "error[EC400]: the process died in a step of the recipe: the process was killed by SIGKILL" in told
    assert "last stage reported: Compress finetune" in told
    assert "batch_size" in told
    assert "GRU" not in told


def test_what_a_killed_build_had_computed_is_told_when_it_is_used(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _failing(tmp_path, "os.kill(os.getpid(), 9)", step="prune")

    first = main(BUILD)
    (tmp_path / "mended").touch()
    capsys.readouterr()
    second = main(BUILD)

    assert (first, second) == (1, 0)
    told = " ".join(capsys.readouterr().err.split())
    assert "taken over from an earlier run: one-shot weights and 1 of 3 epochs" in told
