"""Work that time brings: expiries, cut-offs, rounds; one at a time over all replicas."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.transaction import Tx


@dataclass(frozen=True, slots=True)
class Ticker:
    """`run(tx)` does one batch of due work in the worker role and gives how many things it did.

    It runs every `interval_s` seconds (real time), again at once while it does something, and right
    after the commit of any transaction that said `tx.wake(name)`.
    """

    name: str
    interval_s: float
    run: Callable[[Tx], Awaitable[int]]
