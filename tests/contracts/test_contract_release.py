"""`scripts/release` refuses where version, changelog, tags and checkout say different things."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
SETTING = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false")
pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *SETTING, *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The scripts, a version, a changelog, committed."""
    (tmp_path / "scripts").mkdir()
    for name in ("release", "environment"):
        shutil.copy(CHECKOUT / "scripts" / name, tmp_path / "scripts" / name)
    (tmp_path / "edgecompile").mkdir()
    (tmp_path / "edgecompile" / "__init__.py").write_text('"""A package."""\n\n__version__ = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 1.2.0\n\n- More.\n\n## 1.1.0\n\n- Something.\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "all")
    return tmp_path


def asked(checkout: Path) -> tuple[int, str]:
    words = ["bash", "scripts/release", "--dry-run"]
    done = subprocess.run(words, cwd=checkout, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def next_version(checkout: Path) -> None:
    file = checkout / "edgecompile" / "__init__.py"
    file.write_text(file.read_text().replace("1.2.0", "1.3.0"))
    git(checkout, "commit", "-qam", "next")


def no_entry(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text("# Changelog\n")
    git(checkout, "commit", "-qam", "empty")


def uncommitted(checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text((checkout / "CHANGELOG.md").read_text() + "- One more.\n")


def tagged_before(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.0")
    git(checkout, "commit", "-q", "--allow-empty", "-m", "later")


@pytest.mark.parametrize(
    "change, told",
    [
        pytest.param(next_version, "the version is 1.3.0 (edgecompile/__init__.py), the changelog opens", id="version"),
        pytest.param(no_entry, "the changelog opens with none", id="no entry"),
        pytest.param(uncommitted, "files not committed: 1", id="uncommitted"),
        pytest.param(tagged_before, "v1.2.0 is the tag of another commit", id="tag"),
    ],
)  # fmt: skip
def test_a_release_is_refused(checkout: Path, change: Callable[[Path], None], told: str) -> None:
    change(checkout)

    code, said = asked(checkout)

    assert (code, said.count("refused: ")) == (1, 1)
    assert told in said


def test_a_release_whose_parts_agree_is_not_refused(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.0")

    assert asked(checkout) == (0, "version, changelog, tag and checkout agree: 1.2.0\n")


def test_the_version_of_this_checkout_has_an_entry() -> None:
    from edgecompile import __version__

    heads = [line for line in (CHECKOUT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]

    assert heads[0] == f"## {__version__}"
