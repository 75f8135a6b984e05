"""The fixtures that all tests share."""

import os

import pytest
from hypothesis import HealthCheck, settings

from tests.support.kafka import fresh_kafka, kafka, own_kafka
from tests.support.midnight import wait_for_the_new_day
from tests.support.postgres import open_dir, postgres, service_db, templates

__all__ = ["fresh_kafka", "kafka", "open_dir", "own_kafka", "postgres", "service_db", "templates"]

FULL_LENGTH = os.environ.get("SHANHAI_FULL_LENGTH") == "1"

# `make test` tries the same examples each time, so that it judges a change and not a draw;
# `make chaos` draws new ones. How long an example takes is the machine's business.
settings.register_profile(
    "shanhai",
    derandomize=not FULL_LENGTH,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("shanhai")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Let what is prepared for a test be of the same day as the test."""
    wait_for_the_new_day()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what runs at full length only by `make chaos` and `make bench`."""
    if FULL_LENGTH:
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(
                pytest.mark.skip(reason="at full length by `make chaos` or `make bench`")
            )
