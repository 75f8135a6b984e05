"""What must not stand anywhere in the tree: other machines, open points, nameless exceptions."""

import re
from pathlib import Path

from tests.tidy.tree import SOURCES, files, python, text

# The hosts that a reader may meet: of standards, of examples. Packages are known by name alone.
HOSTS = {"json-schema.org", "www.w3.org", "cloudevents.io", "sign-in.example.org"}
EXAMPLES = re.compile(r"(.+\.)?example\.(org|com|net|cn)")
HOST = re.compile(r"(?<![\w@.%-])(?:[a-z0-9-]+\.)+(?:org|com|net|dev|cn|io)\b(?![\w(.])")
# Python's own dotted names that end like a host.
NAMES = {"stdnum.cn", "self.io"}
# The home or workplace of whoever wrote it means nothing on another machine.
PLACES = re.compile(r"(?<![\w.{}$-])/(?:root|home|Users|work)/[\w.]")
OPEN_POINTS = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
# A noqa or an ignore that names no rule hides more than it says.
BARE_EXCEPTION = re.compile(r"#\s*noqa(?!:)|#\s*type:\s*ignore(?!\[)")
UNREADABLE = {".png", ".jpg", ".woff2", ".ttf", ".xlsx", ".xls", ".pdf", ".ico", ".gz"}


def readable() -> list[Path]:
    return [path for path in files() if path.suffix not in UNREADABLE]


def foreign_hosts(told: str) -> set[str]:
    hosts = set(HOST.findall(told)) - HOSTS - NAMES
    return {host for host in hosts if not EXAMPLES.fullmatch(host)}


def test_the_tree_names_no_host_but_those_of_standards_and_examples() -> None:
    assert {str(p): foreign_hosts(text(p)) for p in readable() if foreign_hosts(text(p))} == {}


def test_a_foreign_host_would_be_found() -> None:
    assert foreign_hosts("fetch it from https://packages.somewhere" + ".org/simple")
    assert not foreign_hosts("see https://json-schema.org/draft, a.example.org, events.iota")


def test_the_tree_names_no_place_of_one_machine() -> None:
    assert [str(path) for path in readable() if PLACES.search(text(path))] == []


def test_there_is_no_open_point_in_the_code() -> None:
    sources = python(*SOURCES, "tests", "bench")
    assert [str(path) for path in sources if OPEN_POINTS.search(text(path))] == []


def test_every_exception_from_a_rule_names_the_rule() -> None:
    sources = python(*SOURCES, "tests", "bench")
    assert [str(path) for path in sources if BARE_EXCEPTION.search(text(path))] == []


def test_no_lock_file_names_an_address() -> None:
    locks = [path for path in files() if path.suffix == ".lock" or "lock" in path.stem]
    assert locks
    assert [str(path) for path in locks if re.search(r"https?://", text(path))] == []
