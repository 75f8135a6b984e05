"""Length-prefixed JSON between the service and the process that reads a file."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic_core import from_json, to_json

#: Four bytes, big-endian: how many bytes of JSON follow.
HEAD: Final = struct.Struct(">I")
#: A reader that was taken over by what it read must not fill the service's memory.
FRAME_BYTES_MAX: Final = 64 * 1024 * 1024


def frame(told: Mapping[str, Any]) -> bytes:
    """Give one frame."""
    body = to_json(told)
    return HEAD.pack(len(body)) + body


def packed(rows: Sequence[Sequence[Any]]) -> bytes:
    """Give rows as they are kept unread until the second pass."""
    return to_json(rows)


def unpacked(body: bytes) -> list[list[Any]]:
    """Read what `packed` gave; raises ValueError."""
    told = from_json(body)
    if not isinstance(told, list):
        raise ValueError("rows are a list")  # noqa: TRY004 (a wrong value from outside)
    return told


def unframed(body: bytes) -> dict[str, Any]:
    """Read a frame's body; raises ValueError."""
    told = from_json(body)
    if not isinstance(told, dict):
        raise ValueError("a frame holds an object")  # noqa: TRY004 (a wrong value from outside)
    return told
