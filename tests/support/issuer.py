"""An issuer of access tokens for tests: with keys of each kind, and it can be away."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as an_ec_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as an_rsa_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

ISSUER = "http://issuer.test"
_FORMS: dict[str, Any] = {"EdDSA": OKPAlgorithm, "ES256": ECAlgorithm, "RS256": RSAAlgorithm}


@dataclass
class Issuer:
    """An issuer of tokens with keys that it can change, and that can be away."""

    private: dict[str, tuple[str, Any]] = field(default_factory=dict)
    away: bool = False
    asked: int = 0
    discovery: bool = False
    url: str = ISSUER

    async def serve(self) -> asyncio.Server:
        """Serve the keys on loopback, as an issuer that another process can reach; sets `url`."""

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
            told = self.answer(httpx2.Request("GET", f"{self.url}{path}"))
            head = f"HTTP/1.1 {told.status_code} x\r\ncontent-length: {len(told.content)}\r\n"
            writer.write(f"{head}connection: close\r\n\r\n".encode() + told.content)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    def add_key(self, kid: str, algorithm: str = "EdDSA") -> None:
        made = {
            "EdDSA": Ed25519PrivateKey.generate,
            "ES256": lambda: an_ec_key(SECP256R1()),
            "RS256": lambda: an_rsa_key(65537, 2048),
        }[algorithm]()
        self.private[kid] = (algorithm, made)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.asked += 1
        if self.away:
            raise httpx2.ConnectError("away")
        if request.url.path.endswith("openid-configuration"):
            found = {"jwks_uri": f"{self.url}/protocol/certs"}
            return httpx2.Response(200 if self.discovery else 404, json=found)
        assert request.url.path == (
            "/protocol/certs" if self.discovery else "/.well-known/jwks.json"
        )
        keys = [
            _FORMS[a].to_jwk(k.public_key(), as_dict=True) | {"kid": kid, "use": "sig"}
            for kid, (a, k) in self.private.items()
        ]
        return httpx2.Response(200, json={"keys": keys})

    def token(self, kid: str = "k1", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        algorithm, private = self.private[kid]
        now = time.time()
        said = {
            "iss": self.url, "aud": "shanhai", "jti": str(uuid4()), "iat": now, "exp": now + 300,
            "sub": str(uuid4()), "tenant_id": str(uuid4()), "tenant_kind": "office",
            "division_code": "530900",
        } | claims  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, private, algorithm, headers={"kid": kid} | (header or {}))
