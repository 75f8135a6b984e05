"""Limits on everything: files, functions, the shared plumbing."""

import ast
import re
from pathlib import Path

from tests.tidy.tree import SOURCES, python, text, tree

SOURCE_LINES_MAX = 400
TEST_LINES_MAX = 600
FUNCTION_LINES_MAX = 60
SHARED_LINES_MAX = 4_450  # docs/decisions/0010 says why
SHARED_MODULES_MAX = 25
SHEETS_LINES_MAX = 900  # docs/decisions/0011 says why
FORBIDDEN_NAMES = {
    "utils",
    "helpers",
    "common",
    "misc",
    "base",
    "manager",
    "core",
    "util",
    "helper",
}

OPENING = re.compile(r"[A-Z`'\"(].*[.:`)]", re.DOTALL)


def lines(path: Path) -> int:
    return len(text(path).splitlines())


def test_no_source_file_is_longer_than_its_limit() -> None:
    assert [str(p) for p in python(*SOURCES, "bench") if lines(p) > SOURCE_LINES_MAX] == []


def test_no_test_file_is_longer_than_its_limit() -> None:
    assert [str(p) for p in python("tests") if lines(p) > TEST_LINES_MAX] == []


def test_no_function_is_longer_than_its_limit() -> None:
    long = [
        f"{path}:{node.lineno} {node.name}"
        for path in python(*SOURCES, "tests", "bench")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]
    assert long == []


def test_the_shared_plumbing_stays_small() -> None:
    inside = [path for path in python("shared") if path.name != "__init__.py"]
    sheets = [path for path in inside if "sheets" in path.parts]
    assert sum(map(lines, sheets)) <= SHEETS_LINES_MAX
    modules = [path for path in inside if path not in sheets]
    assert len(modules) <= SHARED_MODULES_MAX, len(modules)
    assert sum(map(lines, modules)) <= SHARED_LINES_MAX, sum(map(lines, modules))


def test_every_file_is_named_for_a_noun_of_its_own() -> None:
    named = [p for p in python(*SOURCES, "tests") if FORBIDDEN_NAMES & {p.stem, *p.parts}]
    assert named == []


def test_every_module_opens_with_one_sentence() -> None:
    silent = []
    for path in python(*SOURCES, "tests", "bench"):
        told = ast.get_docstring(tree(path)) or ""
        first = told.partition("\n\n")[0].strip()
        if text(path).strip() and not OPENING.fullmatch(first):
            silent.append(str(path))
    assert silent == []
