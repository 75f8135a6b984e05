"""The processes of the services: each started as `python -m services.<name>`."""

import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from stack import processes
from stack.environment import Databases, environment
from stack.plan import Plan
from stack.trouble import StackError, tail

PROJECT: Final = Path(__file__).parent.parent
PROBE_TIMEOUT_S: Final = 2.0
STOP_TIMEOUT_S: Final = 15.0
EXIT_CONFIG: Final = 78
OK: Final = 200


class ServiceProcess:
    """One process of a service: `replica` 1 is the one whose URL others use."""

    def __init__(self, plan: Plan, databases: Databases, service: str, replica: int) -> None:
        self.service = service
        self.replica = replica
        self.url = f"http://127.0.0.1:{plan.ports.service(service, replica)}"
        self.log = plan.logs / f"{service}-{replica}.log"
        self._environment = environment(plan, databases, service, replica)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def program(self) -> Sequence[str]:
        """The module to run and its arguments."""
        return (f"services.{self.service}",)

    @property
    def name(self) -> str:
        """What `status` and the run state call it."""
        return f"{self.service}-{self.replica}"

    def launch(self) -> None:
        """Start it without waiting."""
        argv = [sys.executable, "-m", *self.program]
        self._process = processes.start(
            processes.Program(argv, self.log, env=self._environment, cwd=PROJECT)
        )

    def pid(self) -> int | None:
        """Give its process id, or None when it has died."""
        process = self._process
        return None if process is None or processes.exited(process) else process.pid

    def exit_code(self) -> int | None:
        """Give the exit code when it has died."""
        return self._process.returncode if self._process else None

    def terminate(self) -> None:
        """Ask it to stop in good order."""
        if self.pid() is not None and self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def wait_stopped(self) -> None:
        """Wait until it has gone; SIGKILL when it takes longer than it may."""
        if self._process is not None:
            processes.stop(self._process, signal.SIGTERM, grace_s=STOP_TIMEOUT_S)


def is_ready(url: str) -> bool:
    """Ask a service whether it makes progress."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=PROBE_TIMEOUT_S) as answer:  # noqa: S310 (our own URL)
            return bool(answer.status == OK)
    except (urllib.error.URLError, OSError):
        return False


def refuse_wrong_settings(services: Sequence[ServiceProcess]) -> None:
    """Raise `StackError` when one stopped because of a setting: starting it again is no help."""
    for one in services:
        if one.pid() is None and one.exit_code() == EXIT_CONFIG:
            raise StackError(
                f"服务 {one.service} 的设置有误:\n{tail(one.log, 5)}",
                f"a setting of the service {one.service} is wrong, see above ({one.log}).",
            )


def not_ready(process: ServiceProcess) -> StackError:
    """Say that a service does not become ready, with the end of its log."""
    return StackError(
        f"服务 {process.service} 未能就绪,日志末尾:\n{tail(process.log)}",
        f"the service {process.service} did not become ready; see above ({process.log}).",
    )
