"""The linters' own verdicts, so that one command tells all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT, python, text

BIN = Path(sys.executable).parent


def verdict(*command: str) -> str:
    """Run a tool of the environment; give what it says when it objects, else nothing."""
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "MYPY_CACHE_DIR": str(ROOT / ".cache/mypy"), "NO_COLOR": "1"},
    )
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-4000:]


def test_ruff_has_nothing_to_say() -> None:
    objections = verdict("ruff", "check", "--quiet", "--output-format", "concise")
    assert not objections, objections


def test_every_file_is_formatted() -> None:
    objections = verdict("ruff", "format", "--check")
    assert not objections, objections


def test_imports_point_one_way() -> None:
    objections = verdict("lint-imports", "--no-cache")
    assert not objections, objections


@pytest.mark.timeout(600)
def test_every_type_holds() -> None:
    packages = ("contracts", "shared", "services", "stack")
    objections = verdict("mypy", *(word for name in packages for word in ("-p", name)))
    assert not objections, objections


def test_what_runs_at_full_length_only_is_run_by_make_chaos() -> None:
    chaos = text(Path("Makefile")).partition("CONTROLS :=")[2].partition("check:")[0]
    slow = [
        path
        for path in python("tests")
        if path.name.startswith("test_") and "pytest.mark.slow" in text(path)
        if "chaos" not in path.parts and path.parts[1] != "tidy"
    ]
    assert [str(p) for p in slow if p.name not in chaos] == []
