"""What a local stack is asked to be, and where its things lie in the data folder."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from stack.databases import SERVICES
from stack.ports import PORT_MAX, REPLICAS_MAX, PortPlan
from stack.trouble import WrongUsageError

BROKERS: Final = (1, 3)
PORT_MIN: Final = 1024


@dataclass(frozen=True)
class Plan:
    """A data folder, ports, how many brokers, how many processes of each service."""

    data_dir: Path
    ports: PortPlan = field(default_factory=PortPlan)
    brokers: int = 1
    replicas: int = 1
    services: tuple[str, ...] = SERVICES

    def __post_init__(self) -> None:
        """Refuse what cannot be; raises `WrongUsageError`."""
        if self.brokers not in BROKERS:
            raise WrongUsageError("--brokers 只能是 1 或 3。", "--brokers is 1 or 3.")
        if not 1 <= self.replicas <= REPLICAS_MAX:
            raise WrongUsageError(
                f"--replicas 应在 1 到 {REPLICAS_MAX} 之间。",
                f"--replicas is between 1 and {REPLICAS_MAX}.",
            )
        if not PORT_MIN <= self.ports.http_port <= PORT_MAX:
            raise WrongUsageError(
                f"--http-port 应在 {PORT_MIN} 到 {PORT_MAX} 之间。",
                f"--http-port is between {PORT_MIN} and {PORT_MAX}.",
            )

    def to_json(self) -> str:
        """Write the plan as text, for the runner in the background."""
        plain = asdict(self) | {"data_dir": str(self.data_dir.absolute())}
        return json.dumps(plain)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a plan that `to_json` wrote."""
        plain: dict[str, Any] = json.loads(text)
        return cls(
            Path(plain["data_dir"]),
            PortPlan(**plain["ports"]),
            plain["brokers"],
            plain["replicas"],
            tuple(plain["services"]),
        )

    @property
    def logs(self) -> Path:
        """The folder of all logs."""
        return self.data_dir / "logs"

    @property
    def accounts_file(self) -> Path:
        """The accounts of this stack with their passwords."""
        return self.data_dir / "secrets" / "accounts.json"

    @property
    def master_key_file(self) -> Path:
        """The keys that wrap the registry's keys."""
        return self.data_dir / "secrets" / "master.key"

    @property
    def signing_key_file(self) -> Path:
        """The key that signs the console's tokens."""
        return self.data_dir / "secrets" / "signing.pem"

    @property
    def state_file(self) -> Path:
        """What the runner says about itself."""
        return self.data_dir / "run.json"

    @property
    def lock_file(self) -> Path:
        """Locked as long as a runner is at work on this folder."""
        return self.data_dir / "run.lock"

    def http_ports(self) -> list[tuple[str, int]]:
        """List the port of every service process with its owner."""
        return [(name, self.ports.service(name, i)) for name, i in self.replicas_of()]

    def replicas_of(self) -> list[tuple[str, int]]:
        """List every service process to run: the service and its number from 1."""
        return [(name, i) for i in range(1, self.replicas + 1) for name in self.services]
