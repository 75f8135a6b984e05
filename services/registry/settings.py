"""What the registry is told by its environment."""

from pathlib import Path
from typing import Final

from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict

from services.registry.roster.limits import Limits
from shared.settings import DatabaseUrl, SecretFile, ServiceSettings

_LIMITS: Final = Limits()


class RegistrySettings(ServiceSettings):
    """The registry's settings; the limits of rosters are `REGISTRY_ROSTER_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix="REGISTRY_", extra="ignore", hide_input_in_errors=True, populate_by_name=True
    )

    # Every service may be told it; this one needs it.
    master_key_file: SecretFile = Field(alias="SHANHAI_MASTER_KEY_FILE")  # type: ignore[mutable-override]
    # A database of its own with short backup retention, so that a destroyed key is gone.
    keys_database_url: DatabaseUrl = Field(
        validation_alias=AliasChoices("REGISTRY_KEYS_DATABASE_URL", "REGISTRY_KEY_STORE_URL")
    )
    # Outside every database: a restored backup is brought up to it before it opens.
    erasure_list_file: Path

    # Where a font with Chinese characters lies; the system's fonts are found without it.
    font_dir: Path | None = Field(None, alias="SHANHAI_FONT_DIR")

    readers_max: int = Field(4, ge=1, le=64)
    roster_file_bytes_max: int = Field(_LIMITS.file_bytes_max, ge=1)
    roster_unpacked_bytes_max: int = Field(_LIMITS.unpacked_bytes_max, ge=1)
    roster_rows_max: int = Field(_LIMITS.rows_max, ge=1)
    roster_columns_max: int = Field(_LIMITS.columns_max, ge=1)
    roster_csv_line_bytes_max: int = Field(_LIMITS.csv_line_bytes_max, ge=1)
    roster_group_members_max: int = Field(_LIMITS.group_members_max, ge=2)
    roster_child_memory_bytes_max: int = Field(_LIMITS.child_memory_bytes_max, ge=1)
    roster_child_cpu_s_max: int = Field(_LIMITS.child_cpu_s_max, ge=1)

    @property
    def limits(self) -> Limits:
        """The limits of a roster's file."""
        return Limits(
            file_bytes_max=self.roster_file_bytes_max,
            unpacked_bytes_max=self.roster_unpacked_bytes_max,
            rows_max=self.roster_rows_max,
            columns_max=self.roster_columns_max,
            csv_line_bytes_max=self.roster_csv_line_bytes_max,
            group_members_max=self.roster_group_members_max,
            child_memory_bytes_max=self.roster_child_memory_bytes_max,
            child_cpu_s_max=self.roster_child_cpu_s_max,
        )
