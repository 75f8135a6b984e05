"""Settings from the environment; a wrong or unsafe one stops the process with exit code 78."""

import ssl
import sys
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

EXIT_CONFIG: Final = 78
_OTHERS_MAY: Final = 0o077
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def _a_database(url: SecretStr) -> SecretStr:
    parts = urlsplit(url.get_secret_value())
    if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
        raise ValueError("must be postgresql://user:password@host:port/database")
    return url


def _an_origin(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("must be http(s)://host[:port][/path]")
    return url.rstrip("/")


def _brokers(text: str) -> str:
    for broker in text.split(","):
        host, _, port = broker.strip().rpartition(":")
        if not host or not port.isdigit():
            raise ValueError("must be host:port[,host:port...]")
    return text


def _secret_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError("is no readable file")
    if path.stat().st_mode & _OTHERS_MAY:
        raise ValueError("may be read by others; allow its owner only (chmod 600)")
    return path


DatabaseUrl = Annotated[SecretStr, AfterValidator(_a_database)]
Origin = Annotated[str, AfterValidator(_an_origin)]
#: A file with a secret in it, which nobody but its owner may read.
SecretFile = Annotated[Path, AfterValidator(_secret_file)]
Port = Annotated[int, Field(ge=1, le=65_535)]


class ServiceSettings(BaseSettings):
    """What every service is told; a service's own class adds to it and names its prefix.

    `model_config = SettingsConfigDict(env_prefix="LODGING_")` makes the first ones
    `LODGING_DATABASE_URL`, `LODGING_HTTP_PORT`; those with an alias are the same everywhere.
    """

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    database_url: DatabaseUrl
    database_connections_max: int = Field(10, ge=2, le=200)
    http_host: str = "127.0.0.1"
    http_port: Port
    http_body_bytes_max: int = Field(32 * 1024 * 1024, ge=1024)

    kafka_bootstrap_servers: Annotated[str, AfterValidator(_brokers)] = Field(
        "127.0.0.1:9092", alias="KAFKA_BOOTSTRAP_SERVERS"
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", alias="KAFKA_SECURITY_PROTOCOL"
    )
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", alias="KAFKA_SECURITY_SASL_MECHANISM"
    )
    kafka_username: str | None = Field(None, alias="KAFKA_SECURITY_USERNAME")
    kafka_password: SecretStr | None = Field(None, alias="KAFKA_SECURITY_PASSWORD")
    kafka_ca_file: Path | None = Field(None, alias="KAFKA_SECURITY_CA_FILE")

    issuer_url: Origin | None = Field(None, alias="SHANHAI_ISSUER_URL")
    console_url: Origin = Field("http://127.0.0.1:8100", alias="SHANHAI_CONSOLE_URL")
    master_key_file: SecretFile | None = Field(None, alias="SHANHAI_MASTER_KEY_FILE")
    locale: Literal["zh-CN", "en"] = Field("zh-CN", alias="SHANHAI_LOCALE")
    local_stack: bool = Field(default=False, alias="SHANHAI_LOCAL_STACK")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", alias="SHANHAI_LOG_LEVEL"
    )
    traces: Literal["off", "log"] = Field("off", alias="SHANHAI_TRACES")
    shutdown_timeout_s: int = Field(15, ge=1, le=300, alias="SHANHAI_SHUTDOWN_TIMEOUT_S")

    @model_validator(mode="after")
    def _safe(self) -> "ServiceSettings":
        if self.issuer_url and not self.local_stack and _in_the_open(self.issuer_url):
            raise _UnsafeError(
                "SHANHAI_ISSUER_URL", "must be https: whoever forges its keys is anybody"
            )
        sasl = self.kafka_security_protocol.startswith("SASL")
        if sasl and not (self.kafka_username and self.kafka_password):
            raise _UnsafeError(
                "KAFKA_SECURITY_USERNAME", "and KAFKA_SECURITY_PASSWORD are needed for SASL"
            )
        return self

    @property
    def issuer(self) -> str:
        """The URL of whoever issues access tokens: the console's own unless another is set."""
        return self.issuer_url or self.console_url

    def kafka(self) -> dict[str, Any]:
        """Give aiokafka's keyword arguments for a connection."""
        security: dict[str, Any] = {
            "bootstrap_servers": self.kafka_bootstrap_servers,
            "security_protocol": self.kafka_security_protocol,
        }
        if self.kafka_security_protocol.endswith("SSL"):
            security["ssl_context"] = ssl.create_default_context(
                cafile=None if self.kafka_ca_file is None else str(self.kafka_ca_file)
            )
        if self.kafka_security_protocol.startswith("SASL") and self.kafka_password:
            security["sasl_mechanism"] = self.kafka_sasl_mechanism
            security["sasl_plain_username"] = self.kafka_username
            security["sasl_plain_password"] = self.kafka_password.get_secret_value()
        return security


class _UnsafeError(ValueError):
    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name


S = TypeVar("S", bound=ServiceSettings)


def load(kind: type[S]) -> S:
    """Read settings from the environment, or stop the process with the names of the wrong ones."""
    try:
        return kind()
    except ValidationError as error:
        stop([_explained(kind, e) for e in error.errors(include_input=False, include_url=False)])


def stop(complaints: list[str]) -> NoReturn:
    """Stop the process because of its settings: a line each on standard error, exit code 78."""
    for complaint in complaints:
        sys.stderr.write(f"设置有误 wrong setting: {complaint}\n")
    raise SystemExit(EXIT_CONFIG)


def _explained(kind: type[ServiceSettings], error: Any) -> str:  # noqa: ANN401 (pydantic's own)
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, _UnsafeError):
        return f"{cause.name}: {cause}"
    place = str(error["loc"][0]) if error["loc"] else "?"
    prefix = kind.model_config.get("env_prefix", "")
    name = place if place.isupper() else f"{prefix}{place}".upper()
    return f"{name}: {error['msg']}"


def _in_the_open(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK
