"""Makes a service's database, its roles with least rights, and its newest schema."""

import hashlib
import hmac
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg

import services
from shared.migrations import migrate

SERVICES: Final = ("registry", "recruitment", "transport", "lodging", "console")
KEY_STORE: Final = "registry_keys"
# Roles and databases are the server's: two that change their rights at once are refused.
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_lock(5458)"


def migrations_of(service: str) -> Path:
    """Give the folder of a service's migrations."""
    return Path(services.__path__[0]) / service / "migrations"


async def provision(superuser_url: str, service: str) -> str:
    """Bring a service's database to its newest state; give the URL with which the service logs in.

    Repeatable. `<service>_owner` owns everything and never logs in; `<service>_service` logs in and
    owns nothing: it may become `<service>_api` or `<service>_worker`, transaction by transaction.
    The password follows from the superuser's, so it stays the same over restarts.
    """
    password = password_of(superuser_url, service)
    conn = await asyncpg.connect(superuser_url)
    try:
        await conn.execute(_ONE_AT_A_TIME)
        await conn.execute(_roles(service, password))
        await _ensure_database(conn, service, f"{service}_owner")
    finally:
        await conn.close()
    url = at_database(superuser_url, service)
    conn = await asyncpg.connect(url)
    try:
        await conn.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    finally:
        await conn.close()
    await migrate(url, service, migrations_of(service))
    return login_url(superuser_url, service, service)


async def provision_key_store(superuser_url: str) -> str:
    """Bring the registry's key store to its newest state; give the URL with which it logs in.

    A database of its own, because its backups are kept for a short time only.
    """
    password = password_of(superuser_url, KEY_STORE)
    conn = await asyncpg.connect(superuser_url)
    try:
        await conn.execute(_ONE_AT_A_TIME)
        await conn.execute(_login(f"{KEY_STORE}_service", password))
        await _ensure_database(conn, KEY_STORE, f"{KEY_STORE}_service")
    finally:
        await conn.close()
    url = login_url(superuser_url, KEY_STORE, KEY_STORE)
    conn = await asyncpg.connect(url)
    try:
        schema = migrations_of("registry").parent / "vault" / "keystore.sql"
        await conn.execute(schema.read_text("utf-8"))
    finally:
        await conn.close()
    return url


def login_url(superuser_url: str, service: str, dbname: str) -> str:
    """Give the URL with which a provisioned service logs in to a database of this server."""
    user = f"{service}_service:{password_of(superuser_url, service)}"
    place = urlsplit(superuser_url).netloc.rpartition("@")[2]
    return urlunsplit(("postgresql", f"{user}@{place}", f"/{dbname}", "", ""))


def at_database(url: str, dbname: str) -> str:
    """Give the same URL for another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{dbname}"))


def password_of(superuser_url: str, service: str) -> str:
    """Give a service's password, which follows from the superuser's."""
    secret = urlsplit(superuser_url).password or ""
    return hmac.new(secret.encode(), f"role {service}".encode(), hashlib.sha256).hexdigest()


async def _ensure_database(conn: asyncpg.Connection, dbname: str, owner: str) -> None:
    if not await conn.fetchval("SELECT true FROM pg_database WHERE datname = $1", dbname):
        await conn.execute(f"CREATE DATABASE {dbname} OWNER {owner}")
    await conn.execute(
        f"REVOKE ALL ON DATABASE {dbname}, postgres, template1 FROM PUBLIC;"
        f"GRANT CONNECT ON DATABASE {dbname} TO {dbname}_service"
    )


def _login(role: str, password: str) -> str:
    return f"""{_ensure_role(role)}
    ALTER ROLE {role} LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS PASSWORD '{password}';
    """


def _roles(service: str, password: str) -> str:
    nologin = "".join(_ensure_role(f"{service}_{part}") for part in ("owner", "api", "worker"))
    return f"""{nologin}
    {_login(f"{service}_service", password)}
    GRANT {service}_api, {service}_worker TO {service}_service;
    """


def _ensure_role(role: str) -> str:
    return f"""
    DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"""
