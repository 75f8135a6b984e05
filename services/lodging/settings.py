"""What lodging is told by its environment."""

from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class LodgingSettings(ServiceSettings):
    """Lodging's settings: `LODGING_DATABASE_URL`, `LODGING_HTTP_PORT`; rules are data."""

    model_config = SettingsConfigDict(
        env_prefix="LODGING_", extra="ignore", hide_input_in_errors=True
    )
