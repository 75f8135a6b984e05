"""Apache Kafka (KRaft) from its jars as child processes on a data folder: one broker, or three."""

import base64
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stack import jdk, processes
from stack.jars import KAFKA_VERSION
from stack.sockets import free_ports
from stack.topics import DEAD_LETTER_BYTES_MAX
from stack.trouble import (
    StackError,
    disk_full,
    ensure_port_free,
    ensure_room,
    half_written,
    port_in_use,
    tail,
)

VERSION: Final = KAFKA_VERSION
# Only for who neither serves nor ends: a disk at work for others makes a start ten times as long.
START_TIMEOUT_S: Final = 300.0
STOP_TIMEOUT_S: Final = 20.0
POLL_INTERVAL_S: Final = 0.02
CLUSTER_SIZE: Final = 3
HEAP_MB: Final = 512
HEAP_MB_OF_THREE: Final = 256
_STARTED: Final = "Kafka Server started"

_SETTINGS: Final[Mapping[str, str]] = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "auto.create.topics.enable": "false",
    # A record lives until somebody deletes its topic: repair and replay read from the start.
    "log.retention.ms": "-1",
    "log.retention.bytes": "-1",
    "message.max.bytes": str(DEAD_LETTER_BYTES_MAX),
    "replica.fetch.max.bytes": str(2 * DEAD_LETTER_BYTES_MAX),
    "log.segment.bytes": str(256 * 1024 * 1024),
    "log.index.size.max.bytes": str(2 * 1024 * 1024),
    # How long a killed broker's partitions stand still: 2 to 5 s instead of 9 to 12.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
    "controlled.shutdown.enable": "true",
    "group.min.session.timeout.ms": "1000",
    "group.initial.rebalance.delay.ms": "100",
    "offsets.topic.num.partitions": "12",
    "transaction.state.log.num.partitions": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
}
_REPLICATED: Final = (
    "offsets.topic", "transaction.state.log", "share.coordinator.state.topic",
)  # fmt: skip


@dataclass(frozen=True)
class Ports:
    """The ports of each broker and of each controller, in the order of their node ids."""

    brokers: tuple[int, ...]
    controllers: tuple[int, ...]

    @classmethod
    def from_base(cls, base: int, brokers: int) -> "Ports":
        """Take consecutive ports: the brokers' (always room for three), then the controllers'."""
        return cls(
            tuple(base + i for i in range(brokers)),
            tuple(base + CLUSTER_SIZE + i for i in range(brokers)),
        )

    @property
    def bootstrap_servers(self) -> str:
        """Addresses of all brokers, as clients want them."""
        return ",".join(f"127.0.0.1:{port}" for port in self.brokers)


class Kafka:
    """A cluster of our own on `data_dir / "kafka"`, listening on 127.0.0.1.

    `settings` go over ours. Node ids are 1 to 3. `start` and `stop` are for one thread that
    outlives the brokers.
    """

    def __init__(
        self, data_dir: Path, ports: Ports, *, settings: Mapping[str, str] | None = None
    ) -> None:
        self.root = data_dir.absolute() / "kafka"
        self.ports = ports
        self.node_ids = tuple(range(1, len(ports.brokers) + 1))
        self._logs = data_dir.absolute() / "logs"
        self._settings = dict(settings or {})
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._log_offsets: dict[int, int] = {}

    @property
    def bootstrap_servers(self) -> str:
        """Addresses of all brokers."""
        return self.ports.bootstrap_servers

    @property
    def replicas(self) -> int:
        """On how many brokers a record lies."""
        return len(self.node_ids)

    def pid(self, node: int) -> int | None:
        """Give a broker's process id, or None when it does not run."""
        process = self._processes.get(node)
        return None if process is None or processes.exited(process) else process.pid

    def pids(self) -> dict[int, int]:
        """Give node id -> process id of the brokers that run."""
        pids = {node: self.pid(node) for node in self.node_ids}
        return {node: pid for node, pid in pids.items() if pid is not None}

    def start(self) -> None:
        """Start all brokers, the first time too, and wait until they serve; raises `StackError`."""
        self.launch()
        self.wait_started()

    def launch(self) -> None:
        """Start all brokers without waiting; raises `StackError`."""
        self.root.parent.mkdir(parents=True, exist_ok=True)
        ensure_room(self.root.parent)
        for port in (*self.ports.brokers, *self.ports.controllers):
            ensure_port_free(port, "Kafka")
        if not self.root.exists():
            self._format()
        self._ensure_whole()
        for node in self.node_ids:
            self.launch_node(node)

    def wait_started(self) -> None:
        """Wait until all brokers that were launched serve; raises `StackError`."""
        for node in self.node_ids:
            self._wait_started(node)

    def start_node(self, node: int) -> None:
        """Start one broker again and wait until it serves."""
        self.launch_node(node)
        self._wait_started(node)

    def stop(self, node: int | None = None) -> None:
        """Stop one broker, or all at once, in good order, and wait until they have gone."""
        chosen = self._chosen(node)
        for process in chosen.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for one, process in chosen.items():
            processes.stop(process, signal.SIGTERM, grace_s=STOP_TIMEOUT_S)
            self._processes.pop(one, None)

    def kill(self, node: int | None = None) -> None:
        """End one broker, or all, by SIGKILL."""
        for one, process in self._chosen(node).items():
            process.kill()
            process.wait()
            self._processes.pop(one, None)

    def log(self, node: int) -> Path:
        """Give a broker's log."""
        return self._logs / f"kafka-{node}.log"

    def _chosen(self, node: int | None) -> dict[int, subprocess.Popen[bytes]]:
        return {n: p for n, p in self._processes.items() if node in {None, n}}

    def _folder(self, node: int) -> Path:
        return self.root / f"node-{node}"

    def _format(self) -> None:
        """Make the folders of all nodes beside their place and move them there: whole or absent."""
        for leftover in self.root.parent.glob(".kafka-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        draft = Path(tempfile.mkdtemp(prefix=".kafka-", dir=self.root.parent))
        try:
            cluster_id = _cluster_id()
            formatting = [self._format_node(node, draft, cluster_id) for node in self.node_ids]
            codes = [process.wait() for process in formatting]
            if any(codes):
                raise _explained(draft / "format.log", 0, self.root, self.ports.brokers)
            (draft / "format.log").unlink()
            draft.rename(self.root)
        except OSError as e:
            raise disk_full(self.root) from e
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _format_node(self, node: int, draft: Path, cluster_id: str) -> subprocess.Popen[bytes]:
        folder = draft / f"node-{node}"
        folder.mkdir()
        settings = self._write_settings(node, folder)
        argv = jdk.words(
            ["-Xmx128m", jdk.class_cache_option(train)],
            "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", str(settings),
        )  # fmt: skip
        return processes.start(
            processes.Program(argv, draft / "format.log", env=jdk.environment(), cwd=Path("/"))
        )

    def _ensure_whole(self) -> None:
        found = sorted(p.name for p in self.root.glob("node-*"))
        for name in found:
            if not (self.root / name / "data" / "meta.properties").exists():
                raise half_written(self.root / name, "Kafka")
        if not found:
            raise half_written(self.root, "Kafka")
        if len(found) != len(self.node_ids):
            raise StackError(
                f"数据目录 {self.root} 是按 {len(found)} 个 Kafka 节点建立的,"
                f"请使用 --brokers {len(found)}。",
                f"the data folder {self.root} was made for {len(found)} Kafka brokers; "
                f"start it with --brokers {len(found)}.",
            )

    def _write_settings(self, node: int, folder: Path) -> Path:
        i, replicas = node - 1, self.replicas
        voters = ",".join(
            f"{n}@127.0.0.1:{port}"
            for n, port in zip(self.node_ids, self.ports.controllers, strict=True)
        )
        settings = {
            **_SETTINGS,
            "node.id": str(node),
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://127.0.0.1:{self.ports.brokers[i]},"
            f"CONTROLLER://127.0.0.1:{self.ports.controllers[i]}",
            "log.dirs": str(folder / "data"),
            "default.replication.factor": str(replicas),
            "min.insync.replicas": "2" if replicas >= CLUSTER_SIZE else "1",
            **{f"{name}.replication.factor": str(replicas) for name in _REPLICATED},
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.min.isr": "1",
            **self._settings,
        }
        path = folder / "server.properties"
        path.write_text("".join(f"{k}={v}\n" for k, v in settings.items()), "utf-8")
        return path

    def launch_node(self, node: int) -> None:
        """Start one broker of a formatted cluster without waiting."""
        folder = self._folder(node)
        # Java's unpacked libraries go here; what a killed broker left is in nobody's way.
        scratch = folder / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        heap = HEAP_MB if self.replicas == 1 else HEAP_MB_OF_THREE
        argv = jdk.words(
            [f"-Xmx{heap}m", f"-Djava.io.tmpdir={scratch}", jdk.class_cache_option(train)],
            "kafka.Kafka",
            str(self._write_settings(node, folder)),
        )
        log = self.log(node)
        self._log_offsets[node] = log.stat().st_size if log.exists() else 0
        self._processes[node] = processes.start(
            processes.Program(argv, log, env=jdk.environment(), cwd=Path("/"))
        )

    def _wait_started(self, node: int) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        process, log, offset = self._processes[node], self.log(node), self._log_offsets[node]
        while time.monotonic() < deadline and process.poll() is None:
            if _STARTED in _read(log, offset):
                return
            time.sleep(POLL_INTERVAL_S)
        self.kill()
        raise _explained(log, offset, self.root, self.ports.brokers)


def train(folder: Path) -> None:
    """Run a broker once from format to stop, so that Java writes its class cache into `folder`."""
    with tempfile.TemporaryDirectory(prefix="shanhai-kafka-") as name:
        root = Path(name)
        broker, controller = free_ports(2)
        kafka = Kafka(root, Ports((broker,), (controller,)))
        node = root / "kafka" / "node-1"
        node.mkdir(parents=True)
        settings = str(kafka._write_settings(1, node))  # noqa: SLF001 (the module's own)
        log = root / "train.log"
        cluster_id = _cluster_id()
        tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", settings]
        _run(jdk.words(["-Xmx128m"], tool[0], *tool[1:]), log)
        option = f"-XX:AOTCacheOutput={folder / jdk.CLASS_CACHE}"
        argv = jdk.words([f"-Xmx{HEAP_MB}m", option], "kafka.Kafka", settings)
        process = processes.start(
            processes.Program(argv, log, env=jdk.environment(), cwd=Path("/"))
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        while (
            process.poll() is None and time.monotonic() < deadline and _STARTED not in _read(log, 0)
        ):
            time.sleep(POLL_INTERVAL_S)
        # Writing the cache at the exit takes some seconds of its own.
        processes.stop(process, signal.SIGTERM, grace_s=START_TIMEOUT_S)


def _cluster_id() -> str:
    """Invent a cluster's id in Kafka's form; it may begin with a hyphen, so say it after `=`."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def _run(argv: list[str], log: Path) -> None:
    code = processes.start(
        processes.Program(argv, log, env=jdk.environment(), cwd=Path("/"))
    ).wait()
    if code:
        raise _explained(log, 0, log.parent, ())


def _read(log: Path, offset: int) -> str:
    with log.open("rb") as f:
        f.seek(offset)
        return f.read().decode("utf-8", "replace")


def _explained(log: Path, offset: int, folder: Path, ports: tuple[int, ...]) -> StackError:
    said = _read(log, offset)
    if "No space left on device" in said:
        return disk_full(folder)
    if "Address already in use" in said:
        return port_in_use(ports[0], "Kafka")
    if re.search(
        r"No `?meta.properties|InconsistentClusterId|CorruptRecord|InconsistentNode", said
    ):
        broken = half_written(folder, "Kafka")
        return StackError(f"{broken.zh}\n{tail(log)}", broken.en)
    if re.search(r"Failed to acquire lock|KafkaStorageException.*lock", said):
        return StackError(
            f"数据目录 {folder} 正被另一个 Kafka 使用。",
            f"another Kafka is using the data folder {folder}.",
        )
    return StackError(
        f"Kafka 未能启动,日志末尾:\n{tail(log)}",
        f"Kafka did not start; see the end of its log above ({log}).",
    )
