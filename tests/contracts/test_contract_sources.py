"""What only the command line may do, held by reading the sources: print, read the environment, exit."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGE = CHECKOUT / "edgecompile"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "cli" not in path.relative_to(PACKAGE).parts)
LONGEST_FILE = 350

FORBIDDEN_NAMES = {"print", "input", "exit", "quit", "breakpoint"}
FORBIDDEN_ATTRIBUTES = {
    ("sys", "exit"),
    ("os", "_exit"),
    ("os", "environ"),
    ("os", "getenv"),
    ("sys", "argv"),
    ("sys", "stdout"),
    ("sys", "stderr"),
}
# The doors to other processes hand them the environment and tell the child what it is; nothing is decided by them.
ALLOWED = {
    "libs/programs.py": {"os.environ"},
    "libs/child_link.py": {"os.environ"},
    "libs/child_end.py": {"sys.argv", "os._exit"},
    "libs/fork.py": {"os._exit"},
    # Interpreters write to descriptor 2 from C++, which is redirected there.
    "libs/litert_engines.py": {"sys.stderr"},
}


def uses(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Forbidden names that a module uses, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_NAMES:
            yield node.func.id, node.lineno
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and (node.value.id, node.attr) in FORBIDDEN_ATTRIBUTES
        ):
            yield f"{node.value.id}.{node.attr}", node.lineno
        if isinstance(node, ast.Name) and node.id == "SystemExit" and isinstance(node.ctx, ast.Load):
            yield "SystemExit", node.lineno


def raised(tree: ast.AST) -> set[int]:
    """Lines that raise SystemExit; catching it is allowed, since user modules may exit."""
    raises = (node for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.exc is not None)
    return {
        name.lineno
        for node in raises
        for name in ast.walk(node)
        if isinstance(name, ast.Name) and name.id == "SystemExit"
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_command_line_prints_reads_the_environment_or_exits(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    allowed = ALLOWED.get(path.relative_to(PACKAGE).as_posix(), set())

    found = [(name, line) for name, line in uses(tree) if name not in allowed]
    found = [(name, line) for name, line in found if name != "SystemExit" or line in raised(tree)]

    assert found == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_opens_with_what_it_is_for_and_holds_one_idea(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert ast.get_docstring(ast.parse(text))
    assert text.count("\n") <= LONGEST_FILE


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_names_a_folder_of_somebodys_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    assert not [folder for folder in ("/home/", "/Users/") if folder in text]


def test_forbidden_uses_are_seen_where_they_are() -> None:
    tree = ast.parse("import os\nprint(os.environ)\nraise SystemExit(1)\n")

    assert sorted(uses(tree)) == [("SystemExit", 3), ("os.environ", 2), ("print", 2)]
