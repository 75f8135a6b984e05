"""The containers are told what the local stack is told: one truth, two ways to run it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.databases import KEY_STORE, SERVICES, login_url
from stack.environment import MEMORY, Databases, environment
from stack.jars import KAFKA_VERSION
from stack.kafka import _REPLICATED, _SETTINGS
from stack.plan import Plan
from stack.postgres import _SETTINGS as POSTGRES_SETTINGS
from stack.prepare import new_secrets

PROJECT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
IN_THE_IMAGE = {*MEMORY, "PYTHONUNBUFFERED", "SHANHAI_FONT_DIR", "SHANHAI_WEB_FONT_DIR"}
LOCAL_ONLY = {"SHANHAI_LOCAL_STACK"}
# Containers listen for each other.
CONTAINER_ONLY = {"HTTP_HOST"}
# The server's place is the image's business, its backup the platform's.
NOT_IN_CONTAINERS = {
    "listen_addresses", "unix_socket_directories", "shared_buffers", "checkpoint_timeout",
    "log_timezone", "log_min_duration_statement", "archive_mode",
}  # fmt: skip


def told(service: str) -> dict[str, str]:
    found: dict[str, str] = COMPOSE["services"][service]["environment"]
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_same_settings_in_a_container(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", {})
    plan = Plan(Path("/data"))
    here = environment(plan, Databases(dict.fromkeys(SERVICES, "u"), "k"), service)
    prefix = f"{service.upper()}_"
    there = {n for n in told(service) if n.removeprefix(prefix) not in CONTAINER_ONLY}
    assert there == set(here) - LOCAL_ONLY - IN_THE_IMAGE
    assert told(service)[f"{prefix}HTTP_PORT"] == here[f"{prefix}HTTP_PORT"]
    assert COMPOSE["services"][service]["command"] == ["python", "-m", f"services.{service}"]


@pytest.mark.parametrize("node", [1, 2, 3])
def test_a_broker_has_the_same_settings_in_a_container(node: int) -> None:
    there = told(f"kafka-{node}")
    for name, value in _SETTINGS.items():
        assert there[f"KAFKA_{name.upper().replace('.', '_')}"] == value, name
    for name in _REPLICATED:
        variable = f"KAFKA_{name.upper().replace('.', '_')}_REPLICATION_FACTOR"
        assert there[variable] == "${KAFKA_REPLICAS:-1}"
    assert COMPOSE["services"][f"kafka-{node}"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


def test_postgres_has_the_same_settings_in_a_container() -> None:
    flags = COMPOSE["services"]["postgres"]["command"][1:]
    there = dict(flag.removeprefix("--").split("=") for flag in flags)
    assert there == {k: v for k, v in POSTGRES_SETTINGS.items() if k not in NOT_IN_CONTAINERS}


def test_the_edge_serves_each_service_at_its_own_port_and_no_metrics() -> None:
    config = (PROJECT / "stack" / "edge" / "nginx.conf").read_text()
    for service in SERVICES:
        port = told(service)[f"{service.upper()}_HTTP_PORT"]
        route = rf"location ~ \^/api/{service}\(/v1/\.\*\)\$ {{ set \$to {service}:{port};"
        assert re.search(route, config), service
    assert re.search(r"\(metrics\|livez\|readyz\)\$ \{ return 404; \}", config)


def test_only_the_edge_is_reachable_from_outside() -> None:
    published = [name for name, one in COMPOSE["services"].items() if "ports" in one]
    outside = [n for n, one in COMPOSE["services"].items() if "outside" in one["networks"]]
    assert published == outside == ["edge"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_our_containers_may_do_nothing_that_they_need_not() -> None:
    for name in (*SERVICES, "edge", "prepare"):
        one = COMPOSE["services"][name]
        assert one["read_only"], name
        assert one["cap_drop"] == ["ALL"], name
        assert one["mem_limit"], name


def test_a_password_in_the_env_file_is_the_one_that_provisioning_sets() -> None:
    lines = dict(line.split("=", 1) for line in new_secrets().splitlines())
    superuser = f"postgresql://postgres:{lines['POSTGRES_PASSWORD']}@postgres:5432/postgres"
    for name in (*SERVICES, KEY_STORE):
        url = login_url(superuser, name, name)
        assert (
            url
            == f"postgresql://{name}_service:{lines[f'{name.upper()}_PASSWORD']}@postgres:5432/{name}"
        )


def test_the_image_brings_what_the_compose_file_does_not_say() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text()
    for name in IN_THE_IMAGE:
        assert f"{name}={MEMORY.get(name, '')}" in dockerfile, name


def test_the_dockerfile_has_no_fault_that_hadolint_knows() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    words = [hadolint, PROJECT / "Dockerfile"]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, "")
