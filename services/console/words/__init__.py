"""The words of the pages: one catalogue, each text in Chinese first and English beside it."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from markupsafe import Markup

ZH: Final = "zh-CN"
EN: Final = "en"
LOCALES: Final = (ZH, EN)
_FOLDER: Final = Path(__file__).parent


@cache
def catalogue() -> Mapping[str, tuple[str, str]]:
    """Give every text by its dotted key, Chinese and English.

    Raises ValueError when a key is there twice or lacks a language.
    """
    found: dict[str, tuple[str, str]] = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        _gather(found, tomllib.loads(path.read_text("utf-8")), "")
    return found


def _gather(found: dict[str, tuple[str, str]], table: Mapping[str, Any], prefix: str) -> None:
    for name, value in table.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            _gather(found, value, f"{key}.")
            continue
        if key in found or len(value) != len(LOCALES):
            raise ValueError(f"{key} needs one text in each of {LOCALES}")
        found[key] = (str(value[0]), str(value[1]))


class Words:
    """The catalogue in one language: `words("nav.home")`, `words.code("state", "waiting")`."""

    def __init__(self, locale: str) -> None:
        self.locale = locale
        self._place = LOCALES.index(locale)

    def __call__(self, key: str, **values: object) -> str:
        """Give a text with its values filled in; raises KeyError for an unknown key."""
        text = catalogue()[key][self._place]
        return text.format(**values) if values else text

    def rich(self, key: str, values: Mapping[str, object]) -> Markup:
        """Give a text as HTML: values are escaped unless they are markup themselves."""
        return Markup(catalogue()[key][self._place]).format_map(values)  # noqa: S704 (our own text)

    def code(self, kind: str, code: object) -> str:
        """Give the word for a code; one that has none is shown as it is, readable."""
        found = catalogue().get(f"{kind}.{code}")
        return found[self._place] if found else str(code).replace("_", " ")

    def said(self, text: str) -> str:
        """Give this language's half of a text that says it in Chinese first and then in English."""
        end = max((i for i, c in enumerate(text) if ord(c) > _LATIN), default=-1) + 1
        halves = text[:end].strip(), text[end:].strip()
        return halves[self._place] or text


_LATIN: Final = 0x2E7F


def negotiated(accepted: str, default: str) -> str:
    """Choose a language by an `Accept-Language` header; without a known one the default."""
    for part in accepted.split(","):
        tag = part.partition(";")[0].strip().lower()
        if tag.startswith("zh"):
            return ZH
        if tag.startswith("en"):
            return EN
    return default
