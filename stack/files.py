"""Writes files whole or not at all, and secrets so that only their owner reads them."""

import os
import tempfile
from pathlib import Path

_OWNER_ONLY = 0o600


def write_whole(path: Path, text: str) -> None:
    """Put a file in its place in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # A fresh file of mkstemp's is its owner's alone from the start.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as f:
            f.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_secret(path: Path, text: str) -> None:
    """Put a secret in its place: whole, on the disk, readable by its owner only."""
    write_whole(path, text)
    path.chmod(_OWNER_ONLY)
    with path.open("rb") as f:
        os.fsync(f.fileno())
