"""Kafka's jars by their Maven coordinates, each held to the SHA-256 sum of a committed lock."""

import hashlib
import ssl
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import jgo
from jgo.maven import MavenContext

from stack.cache import cache_dir, made_once
from stack.trouble import StackError

LOCK: Final = Path(__file__).with_name("kafka.lock")
KAFKA_VERSION: Final = "4.4.0"
ROOTS: Final = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    # The broker's log goes nowhere without a binding; this one writes to standard error.
    "org.slf4j:slf4j-simple:1.7.36",
)
DOWNLOADS_AT_ONCE: Final = 8
TRIES: Final = 3


@dataclass(frozen=True, order=True)
class Jar:
    """A line of the lock: `group:artifact:version sha256`."""

    coordinate: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of the jar in the cache: unique without its group."""
        return "-".join(self.coordinate.split(":")[1:]) + ".jar"


def locked() -> list[Jar]:
    """Read the lock in the order of the class path."""
    lines = LOCK.read_text("ascii").splitlines()
    return [Jar(*line.split()) for line in lines if line and not line.startswith("#")]


def class_path() -> str:
    """Give the class path of Kafka, downloaded on first use; raises `StackError`."""
    jars = locked()
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    folder = made_once(
        cache_dir() / f"kafka-{KAFKA_VERSION}-{digest}", lambda draft: _download(jars, draft)
    )
    return ":".join(str(folder / jar.file_name) for jar in jars)


def write_lock() -> None:
    """Resolve the coordinates anew and write the lock: for an upgrade, by who reviews it."""
    artifacts = jgo.resolve("+".join(ROOTS))
    coordinates = sorted({f"{a.groupId}:{a.artifactId}:{a.version}" for a in artifacts})
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        context = MavenContext(repo_cache=Path(name))
        contents = pool.map(lambda c: _fetched(context, c), coordinates)
        jars = [Jar(c, _sha256(data)) for c, data in zip(coordinates, contents, strict=True)]
    head = "# Kafka's jars and their SHA-256 sums; written by `python -m stack.jars`.\n"
    LOCK.write_text(head + "".join(f"{j.coordinate} {j.sha256}\n" for j in jars), "ascii")


def _download(jars: Iterable[Jar], folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        context = MavenContext(repo_cache=Path(name), timeout=60)

        def one(jar: Jar) -> None:
            data = _fetched(context, jar.coordinate)
            if _sha256(data) != jar.sha256:
                raise StackError(
                    f"{jar.coordinate} 的校验和与 stack/kafka.lock 不符,已拒绝使用。",
                    f"{jar.coordinate} has not the checksum in stack/kafka.lock; it is refused.",
                )
            (folder / jar.file_name).write_bytes(data)

        # The list makes the first failure come out here.
        list(pool.map(one, jars))


def _fetched(context: MavenContext, coordinate: str) -> bytes:
    group, artifact, version = coordinate.split(":")
    jar = context.project(group, artifact).at_version(version).artifact("", "jar")
    reason: Exception | None = None
    for _ in range(TRIES):
        try:
            path: Path = jar.resolve()
            return path.read_bytes()
        except (OSError, RuntimeError) as e:
            reason = e
            if jar.cached_path is not None:
                jar.cached_path.unlink(missing_ok=True)
    raise _no_download(coordinate, reason) from reason


def _no_download(coordinate: str, reason: BaseException | None) -> StackError:
    """Say what stood in the way: the innermost cause, and how to mend one of its kind."""
    while reason is not None and (inner := reason.__cause__ or reason.__context__) is not None:
        reason = inner
    match reason:
        case ssl.SSLError():
            zh = "TLS 证书不受信任:若经过公司代理,请用 REQUESTS_CA_BUNDLE 指明其根证书文件"
            en = "the TLS certificate is not trusted: behind a company's proxy, name the file of "
            en += "its root certificate in REQUESTS_CA_BUNDLE"
        case OSError():
            zh = "连接不上 Maven 仓库:请检查网络和域名解析,需要代理时设置 HTTPS_PROXY"
            en = "the Maven repository is not reached: check the network and name resolution, and "
            en += "set HTTPS_PROXY where a proxy is needed"
        case _:
            zh = "Maven 仓库或途中的代理没有给出此文件:请稍后重试,或检查 HTTPS_PROXY"
            en = "the Maven repository, or a proxy on the way, did not give the file: try again "
            en += "later, or check HTTPS_PROXY"
    return StackError(
        f"无法下载 {coordinate}:{zh}。原因:{reason}", f"cannot download {coordinate}: {en}."
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    write_lock()
    sys.stdout.write(f"{len(locked())} jars\n")
