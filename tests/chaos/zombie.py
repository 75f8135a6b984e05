"""A consumer that stops itself at its first fetch: `python -m tests.chaos.zombie after-commit`.

`before-commit` stops with the effects written and their transaction open, `after-commit` between
that commit and the offsets. Who sends SIGCONT lets it go on, as a machine that was suspended does.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from contracts.registry import WorkerErased
from shared import telemetry
from shared.consumer import Consumer
from shared.database import Database
from shared.handlers import Received
from shared.transaction import Tx
from tests.support.flow import Listener

KINDS = ("before-commit", "after-commit")


class Zombie(Listener):
    """Stops once, when it has written an effect and before that is committed."""

    stops = False

    async def on_worker_erased(self, tx: Tx, heard: Sequence[Received[WorkerErased]]) -> None:
        await super().on_worker_erased(tx, heard)
        if self.stops:
            self.stops = False
            stop()


class ZombieConsumer(Consumer):
    """Stops once, when its effects are committed and their offsets aren't."""

    stops = False

    async def _commit(self, fetched: Sequence[Any]) -> None:
        if self.stops:
            self.stops = False
            stop()
        await super()._commit(fetched)


def stop() -> None:
    """Stand still until somebody sends SIGCONT."""
    os.kill(os.getpid(), signal.SIGSTOP)


async def main(kind: str, url: str, bootstrap_servers: str) -> None:
    """Hear until SIGTERM."""
    db = await Database.open(url, service="lodging")
    listener = Zombie(db)
    one = ZombieConsumer(db, listener.handlers, {"bootstrap_servers": bootstrap_servers})
    listener.stops, one.stops = kind == "before-commit", kind == "after-commit"
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, lambda: asyncio.ensure_future(one.stop()))
    await one.run()
    await db.close()


if __name__ == "__main__":
    telemetry.log_json("lodging")
    asyncio.run(main(sys.argv[1], os.environ["ZOMBIE_DATABASE_URL"], sys.argv[2]))
