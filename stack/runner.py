"""Runs a whole stack: starts in order, restarts what dies, stops in order, leaves nothing."""

import asyncio
import contextlib
import os
import select
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final

from shared.migrations import ChangedMigrationError
from stack import reaper, topics
from stack.databases import provision, provision_key_store
from stack.environment import Databases, ensure_secrets
from stack.kafka import Kafka
from stack.plan import Plan
from stack.postgres import Postgres
from stack.runstate import Phase, RunState, take_lock
from stack.services import ServiceProcess, is_ready, not_ready, refuse_wrong_settings
from stack.trouble import StackError, ensure_port_free
from stack.watched import Watched

LOOK_INTERVAL_S: Final = 0.5
POLL_INTERVAL_S: Final = 0.1
READY_TIMEOUT_S: Final = 300.0
#: Who dies as often as this while starting will not live.
DEATHS_MAX: Final = 3
LOG_BYTES_MAX: Final = 64 * 1024 * 1024
Say = Callable[[str], None]


@dataclass
class Stack:
    """The parts of one running stack; for one thread that outlives them."""

    plan: Plan
    say: Say
    postgres: Postgres = field(init=False)
    kafka: Kafka = field(init=False)
    services: list[ServiceProcess] = field(default_factory=list)
    watched: list[Watched] = field(default_factory=list)
    phase: Phase = "starting"

    def __post_init__(self) -> None:
        """Name the servers; nothing starts yet."""
        self.postgres = Postgres(self.plan.data_dir, self.plan.ports.postgres)
        self.kafka = Kafka(self.plan.data_dir, self.plan.ports.kafka(self.plan.brokers))

    def start(self) -> None:
        """Start servers, then services, and wait until all are ready; raises `StackError`."""
        for name, port in self.plan.http_ports():
            ensure_port_free(port, name)
        ensure_secrets(self.plan)
        self.say("启动 PostgreSQL 与 Kafka  starting PostgreSQL and Kafka")
        self.kafka.launch()
        self.postgres.start()
        databases = _provisioned(self.postgres.superuser_url(), self.plan.services)
        self.kafka.wait_started()
        topics.create_all(self.kafka.bootstrap_servers, replicas=self.kafka.replicas)
        self._watch_servers()
        self.say("启动各服务  starting the services")
        for service, replica in self.plan.replicas_of():
            self._add_service(ServiceProcess(self.plan, databases, service, replica))
        self.note("starting")
        self._wait_ready()
        self.note("ready")

    def look(self) -> None:
        """Restart what has died and whose pause is over."""
        now = time.monotonic()
        changed = [one for one in self.watched if one.look(now)]
        if changed:
            self.note(self.phase)

    def stop(self) -> None:
        """Stop services, then Kafka, then PostgreSQL, each in good order."""
        self.note("stopping")
        for one in self.services:
            one.terminate()
        for one in self.services:
            one.wait_stopped()
        self.kafka.stop()
        self.postgres.stop()

    def note(self, phase: Phase) -> None:
        """Write down what is going on for `status`."""
        self.phase = phase
        pids = {one.name: one.pid() for one in self.watched}
        known = {name: pid for name, pid in pids.items() if pid is not None}
        RunState(os.getpid(), self.plan.to_json(), phase, known).write(self.plan.state_file)

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT_S
        waiting = list(self.services)
        while waiting:
            self.look()
            refuse_wrong_settings(waiting)
            waiting = [one for one in waiting if not is_ready(one.url)]
            hopeless = {one.name for one in self.watched if one.failures >= DEATHS_MAX}
            if waiting and (time.monotonic() > deadline or waiting[0].name in hopeless):
                raise not_ready(waiting[0])
            if waiting:
                time.sleep(POLL_INTERVAL_S)

    def _watch_servers(self) -> None:
        self.watched = [Watched("postgres", self.postgres.launch, lambda: self.postgres.pid)]
        for node in self.kafka.node_ids:
            launch = partial(self.kafka.launch_node, node)
            self.watched.append(Watched(f"kafka-{node}", launch, partial(self.kafka.pid, node)))
        for one in self.watched:
            one.started_at = time.monotonic()

    def _add_service(self, process: ServiceProcess) -> None:
        self.services.append(process)
        watched = Watched(process.name, process.launch, process.pid)
        self.watched.append(watched)
        watched.start()


def run(plan: Plan, *, say: Say = print, ready: Callable[[], None] | None = None) -> None:
    """Run a stack until SIGTERM or Ctrl-C; raises `StackError` when it cannot start.

    `ready` is called once everything is. In the main thread only.
    """
    with take_lock(plan.lock_file), _reaper():
        _rotate(plan.logs)
        stack = Stack(plan, say)
        try:
            with _stop_signals() as stopping:
                stack.start()
                if ready:
                    ready()
                stopping.wait(stack.look)
        except _Stopped:
            pass
        finally:
            with _deaf():
                stack.stop()
                plan.state_file.unlink(missing_ok=True)


class _Stopped(BaseException):
    """A signal asked us to stop while we were still starting."""


class _StopSignals:
    """Waits for a signal without polling for it: the kernel writes to a pipe."""

    def __init__(self, wake: int) -> None:
        self._wake = wake
        self.asked = False
        self.started = False

    def heard(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if not self.started:
            raise _Stopped

    def wait(self, look: Callable[[], None]) -> None:
        """Call `look` whenever a child ends, and twice a second, until we are asked to stop."""
        self.started = True
        while not self.asked:
            look()
            readable, _, _ = select.select([self._wake], [], [], LOOK_INTERVAL_S)
            if readable:
                os.read(self._wake, 4096)


@contextlib.contextmanager
def _stop_signals() -> Iterator[_StopSignals]:
    read_end, write_end = os.pipe()
    for end in (read_end, write_end):
        os.set_blocking(end, False)
    signals = _StopSignals(read_end)
    before = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    handlers = {s: signal.signal(s, signals.heard) for s in _STOPPING}
    handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda _n, _f: None)
    try:
        yield signals
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        os.close(read_end)
        os.close(write_end)


_STOPPING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Let no second Ctrl-C cut the stop short."""
    handlers = {s: signal.signal(s, signal.SIG_IGN) for s in _STOPPING}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _reaper() -> Iterator[None]:
    """Have whatever is left killed when we end, however we end."""
    marker = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, "-I", reaper.__file__, marker],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    before = os.environ.get(reaper.MARKER_NAME)
    os.environ[reaper.MARKER_NAME] = marker
    try:
        yield
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait()
        del os.environ[reaper.MARKER_NAME]
        if before is not None:
            os.environ[reaper.MARKER_NAME] = before


def _provisioned(superuser_url: str, services: Sequence[str]) -> Databases:
    try:
        return asyncio.run(_provision_all(superuser_url, services))
    except ChangedMigrationError as e:
        raise StackError(
            f"数据库无法升级:{e}", f"a database cannot be brought up to date: {e}."
        ) from e


async def _provision_all(superuser_url: str, services: Sequence[str]) -> Databases:
    *urls, key_store = await asyncio.gather(
        *(provision(superuser_url, service) for service in services),
        provision_key_store(superuser_url),
    )
    return Databases(dict(zip(services, urls, strict=True)), key_store)


def _rotate(logs: Path) -> None:
    """Put aside logs that have grown; one older part of each is kept."""
    for log in logs.glob("*.log"):
        if log.stat().st_size > LOG_BYTES_MAX:
            log.replace(log.with_suffix(".log.1"))


def main() -> None:
    """Run the plan that the last argument holds: how a stack in the background is started."""
    try:
        run(Plan.from_json(sys.argv[-1]), say=_to_log)
    except StackError as e:
        sys.stderr.write(f"{e}\n")
        raise SystemExit(1) from None


def _to_log(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
