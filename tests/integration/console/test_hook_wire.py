"""The way to a receiver over TLS: to a looked-up address, and only if it proves the name."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from services.console.domain.web_hook import Outcome
from services.console.hook_wire import ANSWER_BYTES_MAX, Wire
from tests.support.receiver import a_receiver


def certified(name: str, folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Give a server's context with a certificate for a name, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    plain = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file = folder / f"{name}.pem"
    file.write_bytes(plain + pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=pem.decode())


@pytest.mark.parametrize(
    ("name", "outcome"), [("localhost", Outcome(200)), ("else.example.com", Outcome(error="tls"))]
)
async def test_who_answers_at_the_address_has_to_prove_the_name(
    tmp_path: Path, name: str, outcome: Outcome
) -> None:
    server, trust = certified(name, tmp_path)
    async with a_receiver(server) as receiver, Wire(loopback=True, trust=trust).line() as line:
        assert await line.post(receiver.url, {"webhook-id": "1"}, b"{}") == outcome
        assert len(receiver.messages) == (outcome.status == 200)
        if receiver.messages:
            assert receiver.messages[0].headers["host"] == receiver.url.split("/")[2]


async def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    server, _ = certified("localhost", tmp_path)
    async with a_receiver(server) as receiver, Wire(loopback=True).line() as line:
        assert await line.post(receiver.url, {}, b"{}") == Outcome(error="tls")


async def test_a_name_that_points_elsewhere_by_now_is_refused_at_the_next_message() -> None:
    """INVARIANT: what a name meant when the hook was registered counts for nothing."""
    answers = iter(["203.119.25.1", "127.0.0.1"])

    async def moved(host: str, port: int) -> list[str]:
        assert (host, port) == ("hooks.example.com", 443)
        return [next(answers)]

    wire = Wire(resolve=moved)
    await wire.aim("https://hooks.example.com/in")
    async with wire.line() as line:
        told = await line.post("https://hooks.example.com/in", {}, b"{}")
    assert told == Outcome(error="address_refused")


async def test_of_an_endless_answer_no_more_is_read_than_the_limit() -> None:
    async with a_receiver() as receiver, Wire(loopback=True).line() as line:
        receiver.body, receiver.missing = b"x" * (2 * ANSWER_BYTES_MAX), 1 << 30
        assert await line.post(receiver.url, {}, b"{}") == Outcome(200)
        # The connection is given up with the rest of the answer, and the next message has its own.
        assert await line.post(receiver.url, {}, b"{}") == Outcome(200)
        assert len(receiver.messages) == 2


async def test_nobody_listening_is_an_outcome_too() -> None:
    async with a_receiver() as receiver:
        url = receiver.url
    async with Wire(loopback=True).line() as line:
        assert await line.post(url, {}, b"{}") == Outcome(error="not_connected")
