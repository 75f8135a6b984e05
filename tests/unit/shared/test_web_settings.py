"""A wrong or unsafe setting stops the process at once, with its name and nothing of its value."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic_settings import SettingsConfigDict

from shared.settings import SecretFile, ServiceSettings, load

SECRET = "geheim-530902199903070015"
GOOD = {
    "DESK_DATABASE_URL": f"postgresql://desk:{SECRET}@127.0.0.1:5432/desk",
    "DESK_HTTP_PORT": "8109",
}


class DeskSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="DESK_")


class VaultSettings(DeskSettings):
    key_file: SecretFile


def told(monkeypatch: pytest.MonkeyPatch, env: dict[str, str]) -> None:
    for name in os.environ:
        if name.startswith(("DESK_", "KAFKA_", "SHANHAI_")):
            monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)


def test_good_settings_are_read_and_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    told(monkeypatch, GOOD | {"SHANHAI_CONSOLE_URL": "http://127.0.0.1:8100/"})
    settings = load(DeskSettings)
    assert settings.http_port == 8109
    assert settings.issuer == "http://127.0.0.1:8100"
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("env", "name"),
    [
        ({"DESK_DATABASE_URL": ""}, "DESK_DATABASE_URL"),
        ({"DESK_DATABASE_URL": f"mysql://x:{SECRET}@h/d"}, "DESK_DATABASE_URL"),
        ({"DESK_HTTP_PORT": SECRET}, "DESK_HTTP_PORT"),
        ({"DESK_HTTP_PORT": "70000"}, "DESK_HTTP_PORT"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "no port"}, "KAFKA_BOOTSTRAP_SERVERS"),
        ({"KAFKA_SECURITY_PROTOCOL": "TRUST"}, "KAFKA_SECURITY_PROTOCOL"),
        ({"KAFKA_SECURITY_PROTOCOL": "SASL_SSL"}, "KAFKA_SECURITY_USERNAME"),
        ({"SHANHAI_ISSUER_URL": "ftp://x"}, "SHANHAI_ISSUER_URL"),
        ({"SHANHAI_ISSUER_URL": "http://sign-in.example.org"}, "SHANHAI_ISSUER_URL"),
        ({"SHANHAI_LOCALE": "fr"}, "SHANHAI_LOCALE"),
        ({"SHANHAI_LOCAL_STACK": SECRET}, "SHANHAI_LOCAL_STACK"),
        ({"SHANHAI_MASTER_KEY_FILE": "/nowhere/key"}, "SHANHAI_MASTER_KEY_FILE"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named_and_its_value_is_not(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    env: dict[str, str],
    name: str,
) -> None:
    told(monkeypatch, GOOD | env)
    with pytest.raises(SystemExit) as stopped:
        load(DeskSettings)
    assert stopped.value.code == 78
    words = capsys.readouterr().err
    assert name in words
    assert SECRET not in words


def test_all_wrong_settings_are_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told(monkeypatch, {"SHANHAI_LOCALE": "fr"})
    with pytest.raises(SystemExit):
        load(DeskSettings)
    words = capsys.readouterr().err
    assert all(n in words for n in ("DESK_DATABASE_URL", "DESK_HTTP_PORT", "SHANHAI_LOCALE"))


def test_a_key_that_others_may_read_is_unsafe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(SECRET)
    key.chmod(0o644)
    told(monkeypatch, GOOD | {"DESK_KEY_FILE": str(key)})
    with pytest.raises(SystemExit):
        load(VaultSettings)
    assert "DESK_KEY_FILE" in capsys.readouterr().err
    key.chmod(0o600)
    assert load(VaultSettings).key_file == key


def test_a_process_with_a_wrong_setting_ends_with_78_before_it_does_anything() -> None:
    env: dict[str, Any] = os.environ | GOOD | {"LODGING_HTTP_PORT": "none"}
    ended = subprocess.run(
        [sys.executable, "-m", "tests.support.desk"],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 78
    assert "LODGING_DATABASE_URL" in ended.stderr
    assert "LODGING_HTTP_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr
