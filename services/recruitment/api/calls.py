"""What recruitment's routes share: the caller, reasons, and the state machines' refusals."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from fastapi import Depends
from pydantic import ConfigDict, StringConstraints

from contracts.fields import Body, Site
from services.recruitment.domain.reasons import coded
from services.recruitment.domain.states import IllegalStepError
from services.recruitment.handlers.speech import Because
from shared.commands import Answer
from shared.http import Call, call
from shared.identity import Identity
from shared.problem import Fault, Forbidden, Problem, WrongState
from shared.transaction import Tx

Caller = Annotated[Call, Depends(call)]
COORDINATOR = frozenset({"coordinator"})
P = ParamSpec("P")
R = TypeVar("R")


#: Any text; only a code of ours is kept, for the rest may name a person.
Reason = Annotated[str, StringConstraints(max_length=500)]


class Reasoned(Body):
    """The body of an action that needs no more than a reason."""

    reason: Reason | None = None

    @property
    def code(self) -> str:
        """The reason as a code."""
        return coded(self.reason)


class SiteBody(Site):
    """A workplace as it is typed: an event's reader passes over what it doesn't know, this not."""

    model_config = ConfigDict(extra="forbid")


def because(identity: Identity) -> Because:
    """Give who made it happen: the kind of the caller's tenant."""
    return Because(by=identity.tenant_kind)


def on_behalf(identity: Identity, enterprise_id: UUID | None) -> UUID:
    """Give the enterprise that a command is for: the caller's own, or a coordinator's choice."""
    if identity.tenant_kind == "enterprise":
        if enterprise_id not in {None, identity.tenant_id}:
            raise Forbidden
        return identity.tenant_id
    if enterprise_id is None:
        detail = "请注明企业。Name the enterprise."
        raise Problem(422, "invalid", detail, [Fault("/enterprise_id", "missing", detail)])
    return enterprise_id


def lawful(
    effect: Callable[Concatenate[Tx, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[Tx, P], Coroutine[Any, Any, R]]:
    """Answer 409 `wrong_state` when a state machine refuses the step."""

    async def guarded(tx: Tx, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await effect(tx, *args, **kwargs)
        except IllegalStepError as refusal:
            detail = (
                f"当前状态（{refusal.state}）不允许此操作（{refusal.step}）。"
                f"The {refusal.noun} is {refusal.state}: {refusal.step} is not possible."
            )
            raise WrongState(detail) from None

    return guarded


def done(row: object, status: int = 200) -> Answer:
    """Answer with what a command has made of a thing."""
    return Answer(status, row)
