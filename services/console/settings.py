"""What the console is told by its environment."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import Origin, ServiceSettings


class ConsoleSettings(ServiceSettings):
    """The console's settings; `CONSOLE_SEED_FILE` is for a local stack only."""

    model_config = SettingsConfigDict(env_prefix="CONSOLE_", extra="ignore")

    signing_key_file: Path
    seed_file: Path | None = None
    # Unset: required of those who may see names, but on a local stack.
    second_factor: Literal["required", "optional"] | None = None
    # Chinese web fonts for browsers on machines that have none; without it the machine's are used.
    web_font_dir: Path | None = Field(None, alias="SHANHAI_WEB_FONT_DIR")
    registry_url: Origin = Field("http://127.0.0.1:8101", alias="SHANHAI_REGISTRY_URL")
    recruitment_url: Origin = Field("http://127.0.0.1:8102", alias="SHANHAI_RECRUITMENT_URL")
    transport_url: Origin = Field("http://127.0.0.1:8103", alias="SHANHAI_TRANSPORT_URL")
    lodging_url: Origin = Field("http://127.0.0.1:8104", alias="SHANHAI_LODGING_URL")

    @property
    def factor_required(self) -> bool:
        """Whether those who may see names need a second factor."""
        if self.second_factor is None:
            return not self.local_stack
        return self.second_factor == "required"

    @property
    def urls(self) -> dict[str, str]:
        """The other services' base URLs by name."""
        return {
            "registry": self.registry_url,
            "recruitment": self.recruitment_url,
            "transport": self.transport_url,
            "lodging": self.lodging_url,
        }
