"""A visitor's tasks, gathered for the page: what to do, for whom, until when, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.console.domain.reasons import DECLINES
from services.console.pages.people import mark, masked_names
from services.console.pages.speech import Speech, ids_in
from services.console.pages.visit import Visit
from services.console.views import list_tasks
from services.console.views.names import load_facts_of, load_names
from services.console.views.pictures import count_tasks
from shared.transaction import Tx

TASKS_MAX: Final = 200
#: What is most urgent to people comes first.
ORDER: Final = (
    "missed_trip", "no_seat", "not_arrived", "no_bed", "overstay", "confirm_stay", "next_home",
    "answer_offer",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Choice:
    """A command that a group of tasks offers, with the reasons that go with it."""

    command: str
    reasons: Sequence[str] = ()
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One task: about whom and what."""

    thing_id: str
    journey_id: str
    who: str
    about: str
    context: str
    due_at: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """The tasks of one kind."""

    kind: str
    total: int
    rows: Sequence[Row]
    choices: Sequence[Choice]


_CHOICES: Final[Mapping[str, tuple[frozenset[str], tuple[Choice, ...]]]] = {
    "answer_offer": (
        frozenset({"office"}),
        (Choice("offer.accept"), Choice("offer.decline", DECLINES, quiet=True)),
    ),
    "confirm_stay": (
        frozenset({"enterprise"}),
        (Choice("stay.confirm"), Choice("stay.cancel", quiet=True)),
    ),
}


async def gather(visit: Visit, kind: str | None = None, limit: int = TASKS_MAX) -> list[Group]:
    """Gather the visitor's tasks, of all kinds or of one, the most urgent kind first."""
    counts, tasks, facts = await visit.read(lambda tx: _load(tx, kind, limit))
    ids, subjects = ids_in([*facts.values(), *tasks])
    names = await visit.read(lambda tx: load_names(tx, ids, subjects))
    speech = Speech(visit.words, names)
    masked = await masked_names(visit, [t["worker_id"] for t in tasks])
    rows: dict[str, list[Row]] = {}
    for task in tasks:
        fact = facts.get(task["subject"], {})
        rows.setdefault(task["kind"], []).append(_row(visit, task, fact, (speech, masked)))
    kinds = [k for k in (*ORDER, *sorted(set(counts) - set(ORDER))) if k in counts]
    return [
        Group(k, counts[k], rows.get(k, []), _choices(visit, k)) for k in kinds if kind in {None, k}
    ]


async def _load(tx: Tx, kind: str | None, limit: int) -> tuple[Any, Any, Any]:
    counts = await count_tasks(tx)
    found: Any = await list_tasks(tx, kind=kind, limit=limit, cursor=None)
    tasks = [{k: v for k, v in t.items() if v is not None} for t in found["items"]]
    return counts, tasks, await load_facts_of(tx, [t["subject"] for t in tasks])


def _choices(visit: Visit, kind: str) -> Sequence[Choice]:
    kinds, choices = _CHOICES.get(kind, (frozenset(), ()))
    return choices if visit.may(kinds, {"coordinator"}) else ()


def _row(
    visit: Visit, task: Mapping[str, Any], fact: Mapping[str, Any],
    tools: tuple[Speech, Mapping[str, str]],
) -> Row:  # fmt: skip
    speech, masked = tools
    words = visit.words
    worker = str(task["worker_id"])
    due = task.get("due_at")
    return Row(
        str(task["subject"]).partition("/")[2],
        str(task["journey_id"]),
        masked.get(worker) or words("person.unnamed", mark=mark(worker)),
        _about(speech, fact),
        _context(visit, speech, {**fact, **task}),
        due.isoformat() if due else None,
    )


def _about(speech: Speech, fact: Mapping[str, Any]) -> str:
    words = speech.words
    if fact.get("inn_id") and fact.get("check_in_on"):
        return words("task.stay", inn=speech.inn(fact["inn_id"]), on=fact["check_in_on"])
    if fact.get("check_in_on"):
        why = words.code("reason", fact.get("rule") or fact.get("reason") or "no_bed")
        return words("task.wanted_bed", on=fact["check_in_on"], why=why)
    if fact.get("vacancy_id"):
        return speech.vacancy(fact["vacancy_id"])
    if fact.get("trip_id"):
        return speech.trip(fact["trip_id"])
    return ""


def _context(visit: Visit, speech: Speech, told: Mapping[str, Any]) -> str:
    """Name the other side: for an office the enterprise, for an enterprise the office."""
    parts = []
    for name, own in (("office_id", "office"), ("enterprise_id", "enterprise")):
        if told.get(name) and visit.kind != own:
            parts.append(speech.tenant(told[name]))
    return " → ".join(parts)
