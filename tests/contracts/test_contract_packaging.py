"""What is installed is what lies here: every package listed, every page and profile shipped, every file named."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

CHECKOUT = Path(__file__).resolve().parents[2]
HEAVY = re.compile(r"tensorflow|keras|scikit|tflite")


@pytest.fixture(scope="module")
def setup() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(CHECKOUT / "setup.cfg", encoding="utf-8")
    return parser


def requirements(value: str) -> list[str]:
    """The requirement lines of the files that an option of setup.cfg names."""
    files = value.replace("\n", " ").removeprefix(" ").removeprefix("file:").split(",")
    texts = [(CHECKOUT / name.strip()).read_text(encoding="utf-8") for name in files]
    return [line for text in texts for line in text.splitlines() if line and not line.startswith("#")]


def test_every_package_is_listed(setup: configparser.ConfigParser) -> None:
    listed = set(setup["options"]["packages"].split())

    there = {
        ".".join(path.parent.relative_to(CHECKOUT).parts) for path in (CHECKOUT / "edgecompile").rglob("__init__.py")
    }

    assert listed == there | {"edgecompile.targets"}


def test_every_file_that_is_not_python_is_package_data(setup: configparser.ConfigParser) -> None:
    patterns = {
        CHECKOUT / Path(*package.split(".")) / pattern.strip()
        for package, globs in setup["options.package_data"].items()
        for pattern in globs.split(",")
    }

    left_out = [
        str(path.relative_to(CHECKOUT))
        for path in (CHECKOUT / "edgecompile").rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc")
        and path.name != "ARCHITECTURE.md"
        and not any(path.match(str(pattern)) for pattern in patterns)
    ]

    assert left_out == []


def test_a_device_needs_no_tensorflow() -> None:
    heavy = [line for line in requirements("file: requirements/device.txt") if HEAVY.search(line)]

    assert heavy == []


def applying(lines: list[str], machine: str) -> set[str]:
    """Names and versions of the requirements that hold on Linux with Python 3.11 and this processor."""
    there = {"platform_machine": machine, "platform_system": "Linux", "python_version": "3.11"}
    parsed = [Requirement(line) for line in lines]
    return {f"{one.name}{one.specifier}" for one in parsed if one.marker is None or one.marker.evaluate(there)}


def test_a_plain_install_brings_all_that_a_build_needs(setup: configparser.ConfigParser) -> None:
    brought = requirements(setup["options"]["install_requires"])

    needed = requirements("file: requirements/device.txt, requirements/keras.txt")
    assert applying(brought, "x86_64") == applying(needed, "x86_64")


def test_a_plain_install_on_an_arm_board_is_free_of_tensorflow(setup: configparser.ConfigParser) -> None:
    brought = applying(requirements(setup["options"]["install_requires"]), "aarch64")

    assert brought == applying(requirements("file: requirements/device.txt"), "aarch64")


@pytest.mark.parametrize("script", ["check", "test", "format", "quickstart", "environment"])
def test_scripts_are_shell_that_stops_at_errors(script: str) -> None:
    text = (CHECKOUT / "scripts" / script).read_text(encoding="utf-8")

    assert text.startswith("#!/usr/bin/env bash\n# ")
    assert "set -euo pipefail" in text or '. "$(dirname "$0")/environment"' in text


def test_continuous_integration_runs_the_scripts_and_nothing_else() -> None:
    lines = (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line.startswith("scripts/")] == ["scripts/check", "scripts/test"]
