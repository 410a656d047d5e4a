"""The same project gives the same bytes wherever it is built: folder, locale, time zone, threads, hashing."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pipeline_networks import project, samples

from edgecompile.emit.output import without_durations

ONE = {"PYTHONHASHSEED": "1", "TZ": "UTC", "LC_ALL": "C", "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}
OTHER = {"PYTHONHASHSEED": "77", "TZ": "Asia/Tokyo", "LC_ALL": "C.UTF-8", "LANGUAGE": "de", "OMP_NUM_THREADS": "2"}


def built(folder: Path, environment: dict[str, str], words: list[str], **more: Any) -> dict[str, bytes]:
    """What a build in the folder writes, by name; the report without durations, the page and the text left out."""
    command = [sys.executable, "-m", "edgecompile.cli", "build", *words, "-o", "out", "--no-cache", "-q"]
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, **more
    )
    assert done.returncode == 0, done.stderr
    files = {
        path.relative_to(folder / "out").as_posix(): path for path in (folder / "out").rglob("*") if path.is_file()
    }
    contents = {
        name: path.read_bytes() for name, path in files.items() if not name.endswith(("report.txt", "report.html"))
    }
    return {name: without_durations(held) if name.endswith("report.json") else held for name, held in contents.items()}


@pytest.mark.micro
def test_folder_locale_zone_threads_and_hashing_change_no_byte(tmp_path: Path) -> None:
    folders = (tmp_path / "one", tmp_path / "a folder of another name, and longer")
    words = ["net.tflite", "--data", "data.npz", "-t", "cortex-m4", "-t", "coral", "-t", "android-nnapi"]
    found = []
    for folder, environment, mask in zip(folders, (ONE, OTHER), (0o022, 0o077), strict=True):
        folder.mkdir()
        project(folder)
        samples(folder / "data.npz")
        found.append(built(folder, environment, words, preexec_fn=partial(os.umask, mask)))

    first, second = found

    assert len(first) > 10
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []
