"""Ends what a killed runner left behind: a small process of its own that waits for that.

Run as `python -I reaper.py MARKER` with a pipe from the runner as its standard input. Every
process that the runner started, and what those started, carries the marker in its environment.
When the pipe closes, the runner is gone, and all of them get SIGKILL. It imports the standard
library only: it must be small.
"""

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

MARKER_NAME = "SHANHAI_STACK"
# A process that is just starting others may be missed by one look; not by two in turn.
QUIET_LOOKS = 2
LOOK_INTERVAL_S = 0.05


def marked(marker: str) -> list[int]:
    """List the processes, but us, that carry the marker."""
    wanted = f"{MARKER_NAME}={marker}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            # It may have ended, or be another user's.
            with contextlib.suppress(OSError):
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


def sweep(marker: str) -> None:
    """Kill all that carry the marker until none is left."""
    quiet = 0
    while quiet < QUIET_LOOKS:
        pids = marked(marker)
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        quiet = 0 if pids else quiet + 1
        time.sleep(LOOK_INTERVAL_S)


def main() -> None:
    """Wait for the runner's end, then sweep."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    while os.read(0, 1):
        pass
    sweep(sys.argv[1])


if __name__ == "__main__":
    main()
