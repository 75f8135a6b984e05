"""What the measuring needs besides servers: the console as a process, and sessions in it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import httpx2
import psutil

from bench.servers import Servers
from stack import topics
from stack.accounts import Account, ensure_accounts
from stack.databases import SERVICES, provision

COOKIE: Final = "shanhai_session"


class Rig(Servers):
    """Servers on a folder of their own; `running`, then `prepare`, then `console`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.urls: dict[str, str] = {}
        self.accounts: list[Account] = []

    async def prepare(self) -> None:
        """Make databases, topics and accounts."""
        superuser = self.postgres.superuser_url()
        self.urls = {service: await provision(superuser, service) for service in SERVICES}
        await topics.create(self.kafka.bootstrap_servers, topics.all_topics())
        self.accounts = await asyncio.to_thread(ensure_accounts, self.folder / "accounts.json")

    def console(self) -> AbstractAsyncContextManager[psutil.Process]:
        """Run the console; the other services are away."""
        away = {f"SHANHAI_{s.upper()}_URL": "http://127.0.0.1:9" for s in SERVICES}
        environment = away | {
            "CONSOLE_DATABASE_URL": self.urls["console"],
            "CONSOLE_SIGNING_KEY_FILE": str(self.folder / "signing.pem"),
            "CONSOLE_SEED_FILE": str(self.folder / "accounts.json"),
            "SHANHAI_CONSOLE_URL": self.url,
        }
        return self.served("console", environment)

    async def session(self, account: str) -> str:
        """Sign an account in; give the value of its cookie."""
        password = next(a.password for a in self.accounts if a.account == account)
        async with httpx2.AsyncClient(base_url=self.url) as http:
            answer = await http.post("/sign-in", data={"account": account, "password": password})
            return str(answer.cookies[COOKIE])
