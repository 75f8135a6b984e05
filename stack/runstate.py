"""What a runner tells others about itself: a lock while it lives, and a file with its processes."""

import fcntl
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Literal

from stack.files import write_whole
from stack.plan import Plan
from stack.trouble import StackError

Phase = Literal["starting", "ready", "stopping"]
HELD_LOCK: Final = fcntl.LOCK_EX | fcntl.LOCK_NB


@dataclass(frozen=True)
class RunState:
    """The runner's own process, its plan, and the process ids of what it started by their names."""

    pid: int
    plan: str
    phase: Phase
    processes: Mapping[str, int] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Put it where `status` and `down` look."""
        write_whole(path, json.dumps(asdict(self)))


def take_lock(path: Path) -> IO[str]:
    """Lock a data folder for one runner until the file is closed; raises `StackError` if taken."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = path.open("a+", encoding="ascii")
    try:
        fcntl.flock(file, HELD_LOCK)
    except OSError as e:
        file.close()
        raise StackError(
            f"数据目录 {path.parent} 上已有一个系统在运行,请先执行 shanhai down。",
            f"a stack already runs on the data folder {path.parent}: `shanhai down` ends it.",
        ) from e
    return file


def is_locked(path: Path) -> bool:
    """Tell whether a runner is at work on a data folder."""
    try:
        with path.open("r", encoding="ascii") as file:
            fcntl.flock(file, HELD_LOCK)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def running(data_dir: Path) -> RunState | None:
    """Give what the runner of a data folder says, or None when none is at work."""
    plan = Plan(data_dir)
    if not is_locked(plan.lock_file):
        return None
    try:
        said: dict[str, Any] = json.loads(plan.state_file.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return RunState(**said)


def running_plan(data_dir: Path) -> Plan:
    """Give the plan of the stack at work on a data folder; raises `StackError` when none is."""
    state = running(data_dir)
    if state is None:
        raise StackError(
            f"数据目录 {data_dir} 上没有运行中的系统,请先执行 shanhai up。",
            f"no stack runs on the data folder {data_dir}: `shanhai up` starts one.",
        )
    return Plan.from_json(state.plan)
