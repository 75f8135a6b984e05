"""What each service of a local stack is told by its environment, and the secrets it is given."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.registry.vault.keys import new_master_key_line
from stack.accounts import ensure_accounts
from stack.databases import SERVICES
from stack.files import write_secret
from stack.plan import Plan
from stack.web_assets import font_settings

SHUTDOWN_TIMEOUT_S: Final = 10


@dataclass(frozen=True)
class Databases:
    """The URLs with which services log in: a database each, and the registry's key store."""

    services: Mapping[str, str]
    key_store: str


def ensure_secrets(plan: Plan) -> None:
    """Make the master key and the accounts of a stack that has none yet."""
    if not plan.master_key_file.exists():
        write_secret(plan.master_key_file, new_master_key_line("1"))
    ensure_accounts(plan.accounts_file)


#: glibc keeps an arena a thread; a service's threads take turns, so one holds all with less. Blocks
#: as large as a roster go back when they are freed: by itself glibc keeps those that it has seen.
MEMORY: Final = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "524288",
    "MALLOC_TRIM_THRESHOLD_": "1048576",
}


def environment(plan: Plan, databases: Databases, service: str, replica: int = 1) -> dict[str, str]:
    """Give the environment of a service's process: ours over what this process itself was given."""
    name = service.upper()
    ours = {
        "KAFKA_BOOTSTRAP_SERVERS": plan.ports.kafka(plan.brokers).bootstrap_servers,
        **{f"SHANHAI_{other.upper()}_URL": plan.ports.url(other) for other in SERVICES},
        "SHANHAI_LOCAL_STACK": "true",
        "SHANHAI_SHUTDOWN_TIMEOUT_S": str(SHUTDOWN_TIMEOUT_S),
        f"{name}_DATABASE_URL": databases.services[service],
        f"{name}_HTTP_PORT": str(plan.ports.service(service, replica)),
        "PYTHONUNBUFFERED": "1",
        **MEMORY,
        **font_settings(),
    }
    return {**_without_ours(os.environ), **ours, **_own(plan, databases, service)}


def _own(plan: Plan, databases: Databases, service: str) -> dict[str, str]:
    match service:
        case "registry":
            return {
                "SHANHAI_MASTER_KEY_FILE": str(plan.master_key_file),
                "REGISTRY_KEYS_DATABASE_URL": databases.key_store,
                "REGISTRY_ERASURE_LIST_FILE": str(plan.data_dir / "secrets" / "erasures.jsonl"),
            }
        case "console":
            return {
                "CONSOLE_SIGNING_KEY_FILE": str(plan.signing_key_file),
                "CONSOLE_SEED_FILE": str(plan.accounts_file),
            }
        case _:
            return {}


def _without_ours(given: Mapping[str, str]) -> dict[str, str]:
    """Drop another system's settings: a local stack talks to nothing but its own parts."""
    foreign = tuple(f"{name.upper()}_" for name in SERVICES)
    return {
        k: v
        for k, v in given.items()
        if not k.startswith(("KAFKA_", "SHANHAI_ISSUER", "SHANHAI_MASTER", *foreign))
    }
