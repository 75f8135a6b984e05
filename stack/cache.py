"""The folder for what is unpacked or downloaded once, and that other users may have to read."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def cache_dir() -> Path:
    """Give the cache folder, made if missing: `SHANHAI_CACHE_DIR`, else the system's or the user's.

    As root it is one that PostgreSQL's user can enter.
    """
    chosen = os.environ.get("SHANHAI_CACHE_DIR")
    if chosen:
        folder = Path(chosen)
    elif os.geteuid() == 0:
        folder = Path("/var/cache/shanhai")
    else:
        folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shanhai"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


def others_can_enter(path: Path) -> bool:
    """Tell whether a user without rights here can reach `path` and read it."""
    resolved = path.resolve()
    return all(p.stat().st_mode & 0o001 for p in resolved.parents) and bool(
        resolved.stat().st_mode & 0o004
    )


def made_once(target: Path, make: Callable[[Path], None]) -> Path:
    """Give `target`, made by `make(folder)` if missing; whole or not at all, also beside others."""
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        make(draft)
        draft.chmod(0o755)
        draft.rename(target)
    except OSError:
        if not target.exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target
