"""What web hooks are told of, how that is signed, how long it is tried, and where nothing goes."""

import base64
import hmac
import random

import pytest

from contracts import EVENTS
from services.console.domain.web_hook import (
    DELAYS_S,
    JITTER,
    REST_S_MAX,
    Outcome,
    Verdict,
    judge,
    kind_of,
    kinds_for,
    rest_s,
    signature,
    spelt,
)
from services.console.hook_wire import RefusedUrlError, Resolve, Wire, is_public

NAME = "hooks.example.com"


def test_a_signature_is_that_of_the_standard_s_own_example() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    told = signature(
        [secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}'
    )
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_sign_one_after_the_other_and_each_can_be_checked_by_itself() -> None:
    secrets, body = [b"n" * 32, b"o" * 32], "一".encode()
    told = signature(secrets, "id", 17, body).split(" ")
    expected = [
        "v1," + base64.b64encode(hmac.digest(s, b"id.17." + body, "sha256")).decode()
        for s in secrets
    ]
    assert told == expected
    assert spelt(secrets[0]) == "whsec_" + base64.b64encode(secrets[0]).decode()


def test_offices_and_enterprises_choose_among_what_may_be_theirs_and_others_have_no_choice() -> (
    None
):
    office, enterprise = set(kinds_for("office")), set(kinds_for("enterprise"))
    known = {kind_of(t) for t in EVENTS}
    assert office | enterprise < known
    assert "lodging.enterprise-credit-changed" in enterprise - office
    assert "recruitment.offer-made" in office & enterprise
    assert "transport.trip-delayed" in office & enterprise
    # Only the bureau sees these.
    for kind in ("registry.worker-registered", "registry.worker-erased"):
        assert kind in known
        assert kind not in office | enterprise
    for other in ("inn", "bureau", "auditor"):
        assert kinds_for(other) == ()


def test_a_delivery_is_tried_seven_times_with_growing_pauses_and_then_given_up() -> None:
    draw = random.Random(7)
    for attempt, delay in enumerate(DELAYS_S, 1):
        verdict = judge(Outcome(500), attempt, draw.random())
        assert verdict.state == "waiting"
        assert delay * (1 - JITTER) <= verdict.after_s <= delay * (1 + JITTER)
    assert judge(Outcome(500), len(DELAYS_S) + 1, 0.5) == Verdict("failed")


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_any_2xx_is_a_receipt(status: int) -> None:
    assert judge(Outcome(status), 1, 0.5) == Verdict("delivered")


@pytest.mark.parametrize("status", [100, 301, 302, 307, 400, 404, 429, 500, 503])
def test_nothing_else_is_a_receipt(status: int) -> None:
    assert judge(Outcome(status), 1, 0.5).state == "waiting"


def test_who_is_gone_is_not_asked_again_and_who_asks_for_a_pause_gets_it() -> None:
    assert judge(Outcome(410), 1, 0.5) == Verdict("failed")
    assert judge(Outcome(429, retry_after_s=90.0), 1, 0.5).after_s == 90.0
    # Nobody puts us off for ever.
    assert judge(Outcome(503, retry_after_s=1e9), 1, 0.5).after_s <= DELAYS_S[-1] * (1 + JITTER)


def test_a_trial_is_tried_once() -> None:
    assert judge(Outcome(500), 1, 0.5, trial=True) == Verdict("failed")


def test_a_hook_that_fails_rests_longer_and_longer_but_never_for_long() -> None:
    rests = [rest_s(n) for n in range(1, 200)]
    assert rests == sorted(rests)
    assert rests[-1] == REST_S_MAX


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255",  # noqa: S104 (refused)
        "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1",
        "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0",
        "fc00::1", "fd12::1", "ff02::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1",
        "2002:a00:1::", "2001:db8::1", "no address",
    ],
)  # fmt: skip
async def test_what_lies_inside_a_network_is_refused_in_whatever_clothes(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(RefusedUrlError, match="address_refused"):
        await wire(address).aim(f"https://{NAME}/in")


@pytest.mark.parametrize("address", ["8.8.8.8", "203.119.25.1", "2400:3200::1", "::ffff:8.8.8.8"])
async def test_what_lies_in_the_open_is_reached_at_the_address_that_was_looked_at(
    address: str,
) -> None:
    target = await wire(address).aim(f"https://{NAME}/in?key=1")
    shown = f"[{address}]" if ":" in address else address
    assert target.url == f"https://{shown}:443/in?key=1"
    assert (target.host, target.authority) == (NAME, NAME)


async def test_one_address_inside_among_those_in_the_open_is_enough_to_refuse() -> None:
    with pytest.raises(RefusedUrlError, match="address_refused"):
        await wire("8.8.8.8", "10.0.0.1").aim(f"https://{NAME}/")


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://hooks.example.com/", "https_only"),
        ("ftp://hooks.example.com/", "https_only"),
        ("http://127.0.0.1:8100/", "https_only"),
        ("https://hooks.example.com:8443/", "port_refused"),
        ("https://hooks.example.com:99999/", "wrong_url"),
        ("https://user:secret@hooks.example.com/", "wrong_url"),
        ("https://hooks.example.com/#part", "wrong_url"),
        ("https://hooks.example.com\\@10.0.0.1/", "wrong_url"),
        ("https://hooks.example.com/a b", "wrong_url"),
        ("https:///in", "wrong_url"),
        ("https://[::1/", "wrong_url"),
        ("https://hooks.example.com/" + "x" * 500, "wrong_url"),
        ("https://例子.example.com/", "wrong_url"),
    ],
)  # fmt: skip
async def test_an_odd_url_is_refused(url: str, code: str) -> None:
    with pytest.raises(RefusedUrlError, match=code):
        await wire("8.8.8.8").aim(url)


async def test_only_a_local_stack_sends_to_its_own_machine_and_there_to_any_port() -> None:
    for url in ("http://127.0.0.1:9000/in", "https://localhost:9443/in", "http://[::1]/in"):
        assert await Wire(loopback=True, resolve=answering("127.0.0.1")).aim(url)
        with pytest.raises(RefusedUrlError):
            await wire("127.0.0.1").aim(url)
    # A name that only points there is no name of this machine.
    with pytest.raises(RefusedUrlError, match="address_refused"):
        await Wire(loopback=True, resolve=answering("127.0.0.1")).aim(f"https://{NAME}/")


async def test_a_name_that_nobody_knows_is_said_to_be_unknown() -> None:
    async def unknown(host: str, port: int) -> list[str]:
        raise OSError(host, port)

    with pytest.raises(RefusedUrlError, match="not_resolved"):
        await Wire(resolve=unknown).aim(f"https://{NAME}/")


def wire(*addresses: str) -> Wire:
    return Wire(resolve=answering(*addresses))


def answering(*addresses: str) -> Resolve:
    async def resolve(host: str, port: int) -> list[str]:
        assert host
        assert port
        return list(addresses)

    return resolve
