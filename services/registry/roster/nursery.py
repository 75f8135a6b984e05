"""A process that holds the tables ready and forks a bounded child for each file.

`python -m services.registry.roster.nursery FD`: each descriptor that comes over the socket FD is
one file to read. It ends when the service closes the socket, or dies.
"""

import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any, BinaryIO, Final

from contracts import reference
from services.registry.roster.frames import HEAD, frame, packed, unframed
from services.registry.roster.issue import FileRefused
from services.registry.roster.limits import Limits
from services.registry.roster.plain_cells import plain_cells
from services.registry.roster.work import (
    Job,
    checked_rows,
    layout_as_dict,
    look,
    opened_file,
)

CHUNK_ROWS: Final = 1_000
# Who looked at a file waits so long to be asked for its rows, which are then there at once.
KEPT_S: Final = 20
ROWS_S_MAX: Final = 600
_ADDRESSES: Final = ("云南省临沧市临翔区", "上海市嘉定区")


def serve(control: socket.socket) -> None:
    """Fork a child for each descriptor that comes; give up when the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Nobody waits for the children: the kernel forgets them by itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _warm()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        for descriptor in descriptors:
            if os.fork() == 0:
                control.close()
                _live(socket.socket(fileno=descriptor))
            os.close(descriptor)


def _warm() -> None:
    for address in _ADDRESSES:
        reference.find_division(address)
        reference.find_place("客运站", "530902")
    reference.occupation_codes("焊工")
    reference.certificate_codes("电工证")
    reference.education_code("初中")
    reference.find_town("南翔镇", "310114")
    reference.is_known_division("530902")
    # Of the limits that a service has unless it is told others.
    plain_cells(Limits())
    gc.freeze()


def _live(channel: socket.socket) -> None:
    """Be a child: read one job, answer, end; nothing of the file reaches a log."""
    status = 1
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 2)
        with channel, channel.makefile("rb") as incoming:
            head = unframed(incoming.read(*HEAD.unpack(incoming.read(HEAD.size))))
            job = Job.from_dict(head["job"])
            _confine(job.limits)
            data = incoming.read(head["bytes"])
            for reply in _replies(head["task"], data, job, incoming):
                channel.sendall(reply if isinstance(reply, bytes) else frame(reply))
        status = 0
    except BaseException:  # noqa: BLE001 (whatever it was: the service sees the silence)
        status = 1
    finally:
        os._exit(status)


def _confine(limits: Limits) -> None:
    memory = limits.child_memory_bytes_max
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow(cpu_s: int, wall_s: float, limits: Limits) -> None:
    """Allow so many seconds of work in all, and so long by the clock from now on."""
    most = limits.child_cpu_s_max
    resource.setrlimit(resource.RLIMIT_CPU, (min(cpu_s, most), most + 1))
    # By default an alarm ends the process, whatever it is in the middle of.
    signal.alarm(int(wall_s) or 1)


def _replies(
    task: str, data: bytes, job: Job, incoming: BinaryIO
) -> Iterator[dict[str, Any] | bytes]:
    """Give frames; behind one that tells of `bytes` come just these."""
    limits = job.limits
    try:
        if task == "look":
            _allow(limits.preflight_cpu_s_max, limits.preflight_s_max, limits)
            opened = look(data, job)
            yield {"layout": layout_as_dict(opened.layout)}
            signal.alarm(KEPT_S)
            if not incoming.read(1):
                return
            _allow(limits.child_cpu_s_max, ROWS_S_MAX, limits)
        else:
            _allow(limits.child_cpu_s_max, ROWS_S_MAX, limits)
            opened = opened_file(data, job)
            yield {"layout": layout_as_dict(opened.layout)}
        rows = checked_rows(opened, job)
        while chunk := [*islice(rows, CHUNK_ROWS)]:
            body = packed([row.as_list() for row in chunk])
            yield {"bytes": len(body)}
            yield body
    except FileRefused as refused:
        yield {"refused": [refused.code, refused.detail]}
    except MemoryError:
        yield {"refused": ["unpacked_too_large", "文件解压后过大，请只保留花名册内容后提交。"]}
    yield {"done": True}


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
