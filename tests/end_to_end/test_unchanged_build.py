"""A build of an unchanged project, as a user runs it: no process, no heavy library, little time of the processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pipeline_networks import project, samples

# Runs the command line, then tells what was started and loaded, and what time of the processor it all took.
_RUNNER = """
import json, os, resource, sys
started = []
names = ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.exec", "os.system")
sys.addaudithook(lambda event, given: started.append(event) if event in names else None)
from edgecompile.cli.main import main
try:
    code = main(sys.argv[2:])
except SystemExit as end:
    code = end.code
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
heavy = ("tensorflow", "keras", "tf_keras", "matplotlib", "PIL", "scipy", "tflite_runtime", "ai_edge_litert")
facts = {
    "code": code,
    "started": started,
    "loaded": [name for name in heavy if name in sys.modules],
    "seconds": sum(one.ru_utime + one.ru_stime for one in used),
}
open(sys.argv[1], "w").write(json.dumps(facts))
"""
TARGETS = ("coral", "cortex-m4", "android-nnapi")
# The bound of the issue; a third of a second is usual, or one and a half where no bytecode may be kept.
MOST_SECONDS = 2.0


def ran(folder: Path, *words: str) -> dict[str, Any]:
    """The facts about one `edgecompile` of the folder."""
    environment = {**os.environ, "EDGECOMPILE_CACHE": str(folder / "cache")}
    facts = folder / "facts.json"
    command = [sys.executable, "-c", _RUNNER, str(facts), *words]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    told: dict[str, Any] = json.loads(facts.read_text())
    return told


@pytest.mark.micro
def test_an_unchanged_build_starts_nothing_and_loads_nothing_heavy(tmp_path: Path) -> None:
    project(tmp_path)
    samples(tmp_path / "data.npz")
    words = ("build", "net.tflite", "--data", "data.npz", *(word for name in TARGETS for word in ("-t", name)))
    first = ran(tmp_path, *words)

    again = ran(tmp_path, *words)

    assert (first["code"], again["code"]) == (0, 0)
    assert first["started"]
    assert (again["started"], again["loaded"]) == ([], [])
    assert again["seconds"] < MOST_SECONDS
