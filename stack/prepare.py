"""Prepares servers that are there already, before the services start: databases, topics, keys.

`python -m stack.prepare` does it (settings `PREPARE_SUPERUSER_URL`, `KAFKA_BOOTSTRAP_SERVERS`,
`KAFKA_REPLICAS`); `python -m stack.prepare env` prints the secrets of a new deployment for `.env`.
"""

import asyncio
import os
import secrets
import sys
from pathlib import Path
from typing import Final

from services.console.signing import make_key_file
from services.registry.vault.keys import new_master_key_line
from stack import topics
from stack.accounts import ensure_accounts
from stack.databases import KEY_STORE, SERVICES, password_of, provision, provision_key_store
from stack.files import write_secret

KEYS: Final = Path("/keys")


async def prepare(superuser_url: str, bootstrap_servers: str, replicas: int) -> None:
    """Make what is missing of databases and topics; repeatable."""
    for service in SERVICES:
        await provision(superuser_url, service)
    await provision_key_store(superuser_url)
    await topics.create(bootstrap_servers, topics.all_topics(), replicas=replicas)


def make_keys(folder: Path) -> None:
    """Make what is missing of the keys: the registry's and the console's, apart from each other."""
    master = folder / "registry" / "master.key"
    if not master.exists():
        write_secret(master, new_master_key_line("1"))
    make_key_file(folder / "console" / "signing.pem")
    ensure_accounts(folder / "console" / "accounts.json")


def new_secrets() -> str:
    """Invent a deployment's secrets as lines of an env file."""
    password = secrets.token_urlsafe(24)
    url = f"postgresql://postgres:{password}@postgres/postgres"
    names = (*SERVICES, KEY_STORE)
    lines = [f"POSTGRES_PASSWORD={password}"]
    lines += [f"{name.upper()}_PASSWORD={password_of(url, name)}" for name in names]
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:] == ["env"]:
        sys.stdout.write(new_secrets())
        return
    make_keys(KEYS)
    asyncio.run(
        prepare(
            os.environ["PREPARE_SUPERUSER_URL"],
            os.environ["KAFKA_BOOTSTRAP_SERVERS"],
            int(os.environ.get("KAFKA_REPLICAS") or 1),
        )
    )


if __name__ == "__main__":
    main()
