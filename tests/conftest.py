"""The fixtures that all tests share."""

import os

import pytest

from tests.support.kafka import fresh_kafka, kafka, own_kafka
from tests.support.postgres import open_dir, postgres, service_db, templates

__all__ = ["fresh_kafka", "kafka", "open_dir", "own_kafka", "postgres", "service_db", "templates"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what runs at full length only by `make chaos` and `make bench`."""
    if os.environ.get("SHANHAI_FULL_LENGTH") == "1":
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(
                pytest.mark.skip(reason="at full length by `make chaos` or `make bench`")
            )
