"""The files of the project, as git knows them: tracked ones, and new ones that are not ignored."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("contracts", "shared", "services", "stack")


@cache
def files() -> tuple[Path, ...]:
    """Give all files, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    found = (Path(name) for name in listed.split("\0") if name)
    return tuple(sorted(path for path in found if (ROOT / path).is_file()))


def python(*folders: str) -> list[Path]:
    """Give the Python files of these folders."""
    return [path for path in files() if path.suffix == ".py" and path.parts[0] in folders]


def text(path: Path) -> str:
    """Read a file of the tree."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    """Parse a Python file of the tree."""
    return ast.parse(text(path))


def calls(node: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Give every call below a node, by the last name of what is called."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call):
            called = call.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            yield str(name), call
