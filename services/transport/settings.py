"""What transport is told by its environment."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import Origin, ServiceSettings

MINIMUM_LOAD: Final = 20
NO_SHOW_GRACE_MINUTES: Final = 30
ASK_HOURS: Final = 24


class TransportSettings(ServiceSettings):
    """Transport's settings: `TRANSPORT_DATABASE_URL`, `TRANSPORT_HTTP_PORT`, and rules of trips."""

    model_config = SettingsConfigDict(
        env_prefix="TRANSPORT_", extra="ignore", hide_input_in_errors=True
    )

    minimum_load: int = Field(MINIMUM_LOAD, ge=1, le=5_000)
    no_show_grace_minutes: int = Field(NO_SHOW_GRACE_MINUTES, ge=0, le=1_440)
    ask_hours: int = Field(ASK_HOURS, ge=1, le=720)
    # Where a font with Chinese characters lies; the system's fonts are found without it.
    font_dir: Path | None = Field(None, alias="SHANHAI_FONT_DIR")
    registry_url: Origin = Field("http://127.0.0.1:8101", alias="SHANHAI_REGISTRY_URL")

    @property
    def asked_ahead(self) -> timedelta:
        """How long before a departure a coordinator is asked about a trip below its minimum."""
        return timedelta(hours=self.ask_hours)

    @property
    def no_show_grace(self) -> timedelta:
        """How long after its departure a stop is waited for."""
        return timedelta(minutes=self.no_show_grace_minutes)
