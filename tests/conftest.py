"""The fixtures that all tests share."""

from tests.support.kafka import fresh_kafka, kafka, own_kafka
from tests.support.postgres import open_dir, postgres, service_db, templates

__all__ = ["fresh_kafka", "kafka", "open_dir", "own_kafka", "postgres", "service_db", "templates"]
