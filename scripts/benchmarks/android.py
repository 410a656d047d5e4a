"""Android's profiles held against the real XNNPACK and TensorFlow's GPU checker: shared models, single operators."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _shared import CHECKOUT, data_folder, table

from edgecompile.config.profiles import load
from edgecompile.core.errors import EdgecompileError
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.ir.writer import write
from edgecompile.legalize.proof import compare
from edgecompile.libs.delegates import Answers, answer_of, ask
from edgecompile.libs.delegates_child import read_analysis

sys.path.insert(0, str(CHECKOUT / "tests" / "legalize"))
from android_networks import networks

_ANALYZE = """
import contextlib, io, json, sys
import tensorflow as tf
texts = []
for position in range(int(sys.argv[2])):
    told = io.StringIO()
    with contextlib.redirect_stdout(told):
        tf.lite.experimental.Analyzer.analyze(model_path=f"{sys.argv[1]}/{position}.tflite", gpu_compatibility=True)
    texts.append(told.getvalue())
with open(f"{sys.argv[1]}/answers.json", "w", encoding="utf-8") as stream:
    json.dump({"version": tf.__version__, "answers": texts}, stream)
"""
PROFILES = {"xnnpack": "android-cpu", "gpu": "android-gpu"}
ANSWERS = CHECKOUT / "tests" / "legalize" / "delegate_answers.json"


def main() -> int:
    """Print the table of the shared models and the operators that differ; exit 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--analyzer-python", help="a Python with TensorFlow below 2.19, whose checker still checks")
    parser.add_argument("--record", action="store_true", help="write what the real ones say of each operator")
    asked = parser.parse_args()
    python = asked.analyzer_python
    models = {path.name: path.read_bytes() for path in sorted((data_folder() / "tflite").glob("*.tflite"))}
    differing = _models(models, python)
    ours = networks()
    answers = {name: _ask(name, [write(network) for network in ours.values()], python) for name in PROFILES}
    differing += sum(_operators(name, found, ours) for name, found in answers.items() if found is not None)
    if asked.record:
        _record(answers, ours)
    return 1 if differing else 0


def _models(models: dict[str, bytes], python: str | None) -> int:
    answers = {name: _ask(name, list(models.values()), python) for name in PROFILES}
    rows: list[tuple[str, ...]] = [("model", "operators", "XNNPACK", "profile", "GPU checker", "profile")]
    differing = compared = 0
    for position, (name, content) in enumerate(models.items()):
        network = read(content, name)
        cells: list[str] = []
        for delegate, found in answers.items():
            said, mine, same = _cells(delegate, found, position, network)
            cells += [said, mine]
            differing += not same
            compared += said != "-"
        rows.append((name.split("__", 2)[-1][:44], str(len(network.main.operators)), *cells))
    print(table(rows))
    print(f"\n{compared} comparisons, {differing} differ ('-': does not load, or cannot be asked here)\n")
    return differing


def _cells(delegate: str, found: Answers | None, position: int, network: Network) -> tuple[str, str, bool]:
    answer = None if found is None else found.answers[position]
    if answer is None or answer.error:
        return "-", "-", True
    compared = compare(network, load(PROFILES[delegate]), answer.taken, answer.partitions)
    mine = len(answer.taken) + len(compared.only_profile) - len(compared.only_delegate)
    parts = "" if answer.partitions is None else f" in {answer.partitions}"
    own = "" if answer.partitions is None else f" in {compared.partitions[0]}"
    return f"{len(answer.taken)}{parts}", f"{mine}{own}{'' if compared.agrees else ' DIFFERS'}", compared.agrees


def _operators(delegate: str, found: Answers, ours: dict[str, Network]) -> int:
    target, differing, asked = load(PROFILES[delegate]), 0, 0
    for (name, network), answer in zip(ours.items(), found.answers, strict=True):
        if answer.error:
            continue
        asked += 1
        compared = compare(network, target, answer.taken, answer.partitions)
        if not compared.agrees:
            differing += 1
            print(f"  {name}: taken by {found.described}: {answer.taken}, profile differs: {compared}")
    print(f"{found.described}: {asked} networks of one operator, {differing} differ from `{target.id}`")
    return differing


def _ask(delegate: str, models: list[bytes], python: str | None) -> Answers | None:
    if delegate == "gpu" and python is not None:
        return _ask_elsewhere(models, python)
    try:
        return ask(delegate, models)
    except EdgecompileError as error:
        print(f"{delegate}: not asked: {error.diagnostics[0].message}", file=sys.stderr)
        return None


def _ask_elsewhere(models: list[bytes], python: str) -> Answers:
    """What the checker of another Python's TensorFlow says."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{position}.tflite" for position in range(len(models))]
        for path, content in zip(paths, models, strict=True):
            path.write_bytes(content)
        command = [python, "-c", _ANALYZE, folder, str(len(models))]
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
        subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
        texts = json.loads((Path(folder) / "answers.json").read_text("utf-8"))
    answers = tuple(answer_of(read_analysis(text)) for text in texts["answers"])
    return Answers(answers=answers, described=f"the Analyzer of tensorflow {texts['version']}")


def _record(answers: dict[str, Answers | None], ours: dict[str, Network]) -> None:
    if any(found is None for found in answers.values()):
        sys.exit("recording needs both of them: give --analyzer-python")
    plain: dict[str, Any] = {}
    for delegate, found in answers.items():
        assert found is not None
        taken = {name: None if one.error else list(one.taken) for name, one in zip(ours, found.answers, strict=True)}
        plain[delegate] = {"asked": found.described, "taken": taken}
    lines = json.dumps(plain, indent=1).replace("[\n    0\n   ]", "[0]").replace("[\n    0,\n    1\n   ]", "[0, 1]")
    Path(ANSWERS).write_text(lines + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
