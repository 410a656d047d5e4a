"""What the quick commands load: no TensorFlow and no interpreter, and NumPy only where there are arrays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
HEAVY = ("tensorflow", "tf_keras", "keras", "tensorflow_model_optimization", "ai_edge_litert", "tflite_runtime", "rich")
PROBE = """
import sys
from edgecompile.cli.main import main
code = main(sys.argv[2:])
loaded = [name for name in sys.argv[1].split(",") if name in sys.modules]
print("loaded:", ",".join(loaded), file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--help"], id="help"),
        pytest.param(["build", "--help"], id="help-of-build"),
        pytest.param(["--version"], id="version"),
        pytest.param(["targets", "list"], id="targets-list"),
        pytest.param(["explain", "EC101"], id="explain"),
        pytest.param(["explain"], id="explain-all"),
        pytest.param(["passes"], id="passes"),
    ],
)
def test_quick_commands_load_nothing_heavy(words: list[str]) -> None:
    heavy = ",".join(HEAVY if words == ["passes"] else (*HEAVY, "numpy"))

    finished = subprocess.run(
        [sys.executable, "-c", PROBE, heavy, *words], capture_output=True, text=True, cwd=CHECKOUT, timeout=120
    )

    assert finished.returncode == 0, finished.stderr
    assert finished.stderr.splitlines()[-1] == "loaded: "


@pytest.mark.data
@pytest.mark.parametrize("words", [["inspect"], ["check", "-t", "coral", "-t", "cortex-m4"]], ids=["inspect", "check"])
def test_a_tflite_is_inspected_and_checked_without_tensorflow(words: list[str], data: Path) -> None:
    model = next((data / "tflite").glob("*miniresnet_1stacks_64x50_tl_int8.tflite"))
    heavy = ",".join(
        ("tensorflow", "tf_keras", "keras", "tensorflow_model_optimization", "tflite_runtime", "rich", "h5py")
    )

    finished = subprocess.run(
        [sys.executable, "-c", PROBE, heavy, *words, str(model)],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        timeout=120,
    )

    assert finished.returncode == 0, finished.stderr
    assert finished.stderr.splitlines()[-1] == "loaded: "
