"""Each example trains, builds and runs, at small size, in a copy of its folder."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
EXAMPLES = CHECKOUT / "examples"
pytestmark = pytest.mark.tensorflow
# The target of each, and whether its firmware runs on an emulated board.
TARGETS = {
    "android_app": "android-nnapi",
    "coral_images": "coral",
    "distillation": "nucleo-f446re",
    "gestures": "arduino-nano33ble",
    "keyword_spotting": "nucleo-l4r5zi",
}
# How the output that a README quotes ends well, where that is not a build.
ENDS = {"tuning": "\nbest "}
BOARD = [name for name in ("arm-none-eabi-gcc", "make", "qemu-system-arm") if shutil.which(name) is None]
# Half-trained models may lose any accuracy, and long trainings are cut to one epoch.
LOOSE = ("--max-accuracy-drop", "100")


def run(*words: str, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "EDGECOMPILE_CACHE": str(cwd / "cache")}
    done = subprocess.run([sys.executable, *words], cwd=cwd, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of examples that were built, filled as tests ask for them."""
    return {}


def trained(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the example, its model trained at small size."""
    folder = tmp_path_factory.mktemp(name) / name
    shutil.copytree(EXAMPLES / name, folder)
    small = ["--small"] if "--small" in (folder / "train.py").read_text() else []
    run("train.py", *small, cwd=folder)
    return folder


def build(name: str, built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    if name not in built:
        folder = trained(name, tmp_path_factory)
        project = folder / "edgecompile.toml"
        project.write_text(
            project.read_text().replace("epochs = 40", "epochs = 1").replace("epochs = 4 ", "epochs = 1 ")
        )
        run("-m", "edgecompile.cli", "build", "--quiet", *LOOSE, "-o", "build", cwd=folder)
        built[name] = folder
    return built[name]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in TARGETS if (EXAMPLES / name).is_dir()])
def test_an_example_builds_and_verifies(
    name: str, built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = build(name, built, tmp_path_factory)

    report = json.loads((folder / "build" / TARGETS[name] / "report.json").read_text())
    assert report["status"] == "verified"
    assert not [d for d in report["diagnostics"] if d["severity"] == "error"]


@pytest.mark.slow
def test_a_search_gives_a_recipe_that_builds(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Two trials without training, in a budget that such a model can meet."""
    folder = trained("tuning", tmp_path_factory)
    loose = (*LOOSE, "--flash", "64KiB", "--quiet")

    run("-m", "edgecompile.cli", "tune", "--trials", "2", "--epochs", "0", *loose, cwd=folder)
    best = folder / "build" / "nucleo-f103rb"
    front = json.loads((best / "front.json").read_text())
    recipe = ("--recipe", str(best / "best.toml"), "-o", "again")
    run("-m", "edgecompile.cli", "build", *recipe, *loose, cwd=folder)

    assert {"built": 2, "failed": 0}.items() <= front["trials"].items() and front["best"] is not None
    reports = [json.loads((folder / name / "nucleo-f103rb" / "report.json").read_text()) for name in ("build", "again")]
    assert [report["status"] for report in reports] == ["verified", "verified"]
    again = folder / "again" / "nucleo-f103rb"
    assert (again / "digits.tflite").read_bytes() == (best / "digits.tflite").read_bytes()


@pytest.mark.slow
@pytest.mark.micro
@pytest.mark.skipif(bool(BOARD), reason=f"not installed: {', '.join(BOARD)}")
def test_the_board_hears_the_clip_as_this_machine_does(
    built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = build("keyword_spotting", built, tmp_path_factory)
    words = ("-m", "edgecompile.cli", "run", "build/nucleo-l4r5zi", "--inputs", "heard.wav", "--json", "--on")

    on_host, on_board = (json.loads(run(*words, where, cwd=folder)) for where in ("host", "qemu"))

    assert on_board["outputs"] == on_host["outputs"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("arm-none-eabi-g++") is None, reason="arm-none-eabi-g++ is missing")
def test_the_sketch_compiles_for_the_boards_processor(
    built: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Against stand-ins for Arduino's core and the sensor's library: names and types, as far as they are used."""
    folder = build("gestures", built, tmp_path_factory)
    library = folder / "build" / TARGETS["gestures"] / "arduino" / "gestures" / "src"
    stand_ins = Path(__file__).parent / "arduino_stand_ins"
    sketch = folder / "gesture" / "gesture.ino"

    command = ["arm-none-eabi-g++", "-mcpu=cortex-m4", "-mthumb", "-std=gnu++14", "-Wall", "-Wextra", "-Werror"]
    command += ["-fsyntax-only", "-include", "Arduino.h", f"-I{stand_ins}", f"-I{library}", "-x", "c++", str(sketch)]
    done = subprocess.run(command, text=True, capture_output=True)

    assert done.returncode == 0, done.stderr


def examples_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("examples", CHECKOUT / "scripts" / "examples.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_android_app_is_what_init_writes() -> None:
    written = examples_script().written_by_init("android_app")

    here = {str(path.relative_to(EXAMPLES / "android_app")): path for path in (EXAMPLES / "android_app").rglob("*")}
    kept = {path: file.read_bytes() for path, file in here.items() if file.is_file() and path != "README.md"}
    assert kept == written, "scripts/docs --examples android_app"


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir()))
def test_an_example_has_what_it_needs_and_quotes_its_output(name: str) -> None:
    folder = EXAMPLES / name

    assert {"README.md", "edgecompile.toml", "train.py"} <= {path.name for path in folder.iterdir()}
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert examples_script().commands(text)[0] == "python train.py"
    assert ENDS.get(name, "built and verified") in text, f"scripts/docs --examples {name}"
    assert f"scripts/docs --examples {name}" in text
