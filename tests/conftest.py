"""The fixtures that all tests share."""

from tests.support.postgres import open_dir, postgres, service_db, templates

__all__ = ["open_dir", "postgres", "service_db", "templates"]
