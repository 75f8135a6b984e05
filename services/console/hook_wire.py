"""The way to a web hook's receiver: to public addresses only, and to the one that was looked at."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import httpx2

from services.console.domain.web_hook import URL_LENGTH_MAX, Outcome

RESOLVE_TIMEOUT_S: Final = 5.0
CONNECT_TIMEOUT_S: Final = 5.0
#: From the name to the answer; the lease of a delivery is far longer.
POST_TIMEOUT_S: Final = 15.0
#: Of an answer no more is read, and nothing kept.
ANSWER_BYTES_MAX: Final = 16 * 1024
RETRY_AFTER_S_MAX: Final = 86_400
HTTPS_PORT: Final = 443
LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# IPv4 addresses in IPv6's clothes that `ipaddress` doesn't undress itself (RFC 6052).
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Gives the addresses of a name and a port; raises OSError.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


class RefusedUrlError(Exception):
    """Nothing is sent there; the code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# Somebody's slow name server must not hold up whatever else the process does in threads.
_ASKING: Final = ThreadPoolExecutor(4, "hook-names")


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system for a name's addresses."""
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(_ASKING, ask)
    return [str(address[0]) for *_, address in found]


def is_public(address: str) -> bool:
    """Tell whether an address lies in the open, whatever clothes it wears."""
    try:
        ip: IPAddress = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(one.is_global and not one.is_multicast and not one.is_reserved for one in _all(ip))


def _all(ip: IPAddress) -> list[IPAddress]:
    if ip.version == 4:  # noqa: PLR2004 (the version of the protocol)
        return [ip]
    inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64:
        inner.append(ipaddress.IPv4Address(ip.packed[-4:]))
    found = [one for one in inner if one is not None]
    # A mapped address is the other one and nothing else: IPv6's own opinion of it doesn't count.
    return list(found) if ip.ipv4_mapped or ip in _NAT64 else [ip, *found]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a message goes: the URL with the address in its name's place, and the name."""

    url: str
    host: str
    authority: str


@dataclass(frozen=True)
class Wire:
    """Sends to receivers; `loopback` allows this machine's own, of a local stack only."""

    loopback: bool = False
    resolve: Resolve = resolve
    # Made once: reading all authorities takes longer than a post.
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    async def aim(self, url: str) -> Target:
        """Look at a URL and its addresses; raises `RefusedUrlError`."""
        host, port, rest = self._split(url)
        scheme = url.partition(":")[0].lower()
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                addresses = await self.resolve(host, port)
        except (OSError, UnicodeError):
            raise RefusedUrlError("not_resolved") from None
        if not addresses:
            raise RefusedUrlError("not_resolved")
        local = self.loopback and host in LOOPBACK_NAMES
        if not local and not all(map(is_public, addresses)):
            raise RefusedUrlError("address_refused")
        if local and not all(ipaddress.ip_address(a).is_loopback for a in addresses):
            raise RefusedUrlError("address_refused")
        return Target(f"{scheme}://{_bracketed(addresses[0])}:{port}{rest}", host, _at(host, port))

    def _split(self, url: str) -> tuple[str, int, str]:
        """Give host, port and the rest; raises `RefusedUrlError`."""
        if len(url) > URL_LENGTH_MAX or not (url.isascii() and url.isprintable()) or " " in url:
            raise RefusedUrlError("wrong_url")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise RefusedUrlError("wrong_url") from None
        host = (parts.hostname or "").rstrip(".")
        if not host or parts.username is not None or parts.fragment or "\\" in url:
            raise RefusedUrlError("wrong_url")
        if self.loopback and host in LOOPBACK_NAMES and parts.scheme in {"http", "https"}:
            port = port or (HTTPS_PORT if parts.scheme == "https" else 80)
        elif parts.scheme != "https":
            raise RefusedUrlError("https_only")
        elif port not in {None, HTTPS_PORT}:
            raise RefusedUrlError("port_refused")
        rest = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return host, port or HTTPS_PORT, rest

    @asynccontextmanager
    async def line(self) -> AsyncIterator["Line"]:
        """Open a line to one hook's receiver: connections are shared with no other hook."""
        async with httpx2.AsyncClient(
            verify=self.trust, trust_env=False, follow_redirects=False,
            timeout=httpx2.Timeout(POST_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            headers={"User-Agent": "Shanhai-Hooks/1"},
        ) as client:  # fmt: skip
            yield Line(self, client)


@dataclass(frozen=True, slots=True)
class Line:
    """Connections to one receiver."""

    wire: Wire
    client: httpx2.AsyncClient

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Post a message; whatever goes wrong is an outcome."""
        try:
            async with asyncio.timeout(POST_TIMEOUT_S):
                return await self._post(await self.wire.aim(url), headers, body)
        except RefusedUrlError as refused:
            return Outcome(error=refused.code)
        except (TimeoutError, httpx2.TimeoutException):
            return Outcome(error="timeout")
        except (ssl.SSLError, httpx2.ConnectError) as error:
            return Outcome(error="tls" if _is_tls(error) else "not_connected")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
            return Outcome(error="broken_off")

    async def _post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Outcome:
        request = self.client.build_request(
            "POST", target.url, content=body,
            headers={**headers, "Host": target.authority, "Content-Type": "application/json"},
            # The certificate has to be the name's, not the address's.
            extensions={"sni_hostname": target.host},
        )  # fmt: skip
        response = await self.client.send(request, stream=True)
        try:
            read = 0
            # What is read to its end leaves the connection for the next message.
            async for chunk in response.aiter_raw():
                read += len(chunk)
                if read > ANSWER_BYTES_MAX:
                    break
        finally:
            await response.aclose()
        return Outcome(response.status_code, retry_after_s=_retry_after(response))


def _retry_after(response: httpx2.Response) -> float:
    told = response.headers.get("retry-after", "")
    return float(min(int(told), RETRY_AFTER_S_MAX)) if told.isdigit() and len(told) < 9 else 0.0  # noqa: PLR2004 (more digits are no time)


def _is_tls(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _at(host: str, port: int) -> str:
    return _bracketed(host) if port == HTTPS_PORT else f"{_bracketed(host)}:{port}"
