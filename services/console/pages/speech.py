"""Says in words what an event tells: one sentence for each type, with the names of who is in it."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from markupsafe import Markup, escape

from contracts.reference import division_name, occupation_name, place, prefecture_of
from services.console.domain.web_hook import kind_of
from services.console.pages import figures
from services.console.views.names import Names
from services.console.words import Words

_TENANTS: Final = frozenset({"office_id", "enterprise_id", "tenant_id"})
_NOUNS: Final = ("drive", "vacancy", "trip", "batch")
_CODES: Final = (
    "reason",
    "rule",
    "outcome",
    "result",
    "level",
    "from_level",
    "kind",
    "by",
    "acceptance",
)
Body = Mapping[str, Any]


def ids_in(bodies: Iterable[Body]) -> tuple[set[UUID], set[str]]:
    """Give the ids of tenants and inns, and the subjects of things, that bodies speak of."""
    ids: set[UUID] = set()
    subjects: set[str] = set()
    for body in bodies:
        ids |= {UUID(str(body[k])) for k in (*_TENANTS, "inn_id") if body.get(k)}
        subjects |= {f"{n}/{body[f'{n}_id']}" for n in _NOUNS if body.get(f"{n}_id")}
        if body.get("drive_id") is None and body.get("nearest_miss"):
            subjects.add(f"vacancy/{body['nearest_miss']['vacancy_id']}")
    return ids, subjects


class Speech:
    """Speaks one language about things whose names are known."""

    def __init__(self, words: Words, names: Names) -> None:
        self.words = words
        self.names = names

    def sentence(self, wire_type: str, body: Body) -> Markup:
        """Say an event; a type that has no sentence is named."""
        key = f"event.{kind_of(wire_type)}"
        try:
            return self.words.rich(key, Said(self, body))
        except KeyError:
            return escape(wire_type)

    def tenant(self, tenant_id: object) -> str:
        """Name an organisation."""
        return self.names.tenants.get(str(tenant_id)) or self.words("event.someone")

    def inn(self, inn_id: object) -> str:
        """Name an inn by whoever keeps it."""
        found = self.names.inns.get(str(inn_id))
        return found or self.names.thing("inn", inn_id).get("town") or self.words("event.an_inn")

    def drive(self, drive_id: object) -> str:
        """Name a drive."""
        return self.names.thing("drive", drive_id).get("title") or self.words("event.a_drive")

    def vacancy(self, vacancy_id: object) -> str:
        """Name a vacancy with its workplace."""
        found = self.names.thing("vacancy", vacancy_id)
        if not found:
            return self.words("event.a_vacancy")
        return f"{found['site']['name']} · {found['title']}"

    def trip(self, trip_id: object, body: Body | None = None) -> str:
        """Name a trip by where it goes and when it departs."""
        found = (body or {}) if (body or {}).get("stops") else self.names.thing("trip", trip_id)
        return self.route(found) or self.words("event.a_trip")

    def route(self, trip: Body) -> str:
        """Say a trip's way: from the first stop to its destination, and the departure."""
        stops = trip.get("stops")
        if not stops:
            return ""
        way = f"{area(stops[0]['division_code'])}→{area(trip['destination_division_code'])}"
        leaves = stops[0].get("departs_at")
        return f"{way} {figures.moment(leaves, self.words.locale)}" if leaves else way

    def place(self, code: object) -> str:
        """Name a boarding place."""
        found = place(str(code))
        return found.name if found else str(code)


def area(code: object) -> str:
    """Name a division with its prefecture, where it has one that says more."""
    text = str(code)
    own = division_name(text) or text
    above = prefecture_of(text)
    if above == text or text[:2] == "31":
        return own
    return f"{division_name(above) or ''}{own}"


class Said(dict[str, Any]):
    """The values of a sentence, each said when it is asked for; what wasn't told is a dash."""

    def __init__(self, speech: Speech, body: Body) -> None:
        super().__init__(body)
        self.speech = speech

    def __getitem__(self, name: str) -> object:
        """Say one value."""
        spoken = getattr(self, f"_{name}", None)
        if spoken is not None:
            return spoken()
        value = self.get(name)
        return "—" if value is None else self._plain(name, value)

    def __missing__(self, name: str) -> object:
        """Say a value that is no field of the event."""
        return self[name]

    def _plain(self, name: str, value: Any) -> object:  # noqa: ANN401 (whatever the event said)
        locale = self.speech.words.locale
        if name.endswith("_on"):
            return figures.day(value, locale)
        if name.endswith("_at") or name in {"at", "before"}:
            return figures.moment(value, locale)
        if name in _CODES:
            return self.speech.words.code(name, value)
        return value

    def _strong(self, text: object) -> Markup:
        return Markup("<b>{}</b>").format(text)

    def _office(self) -> Markup:
        return self._strong(self.speech.tenant(self.get("office_id")))

    def _enterprise(self) -> Markup:
        return self._strong(self.speech.tenant(self.get("enterprise_id")))

    def _sender(self) -> Markup:
        return self._strong(self.speech.tenant(self.get("office_id") or self.get("enterprise_id")))

    def _tenant(self) -> Markup:
        return self._strong(self.get("name") or self.speech.tenant(self.get("tenant_id")))

    def _drive(self) -> str:
        return str(self.get("title") or self.speech.drive(self.get("drive_id")))

    def _vacancy(self) -> str:
        site = self.get("site")
        if site and self.get("title"):
            return f"{site['name']} · {self['title']}"
        return self.speech.vacancy(self.get("vacancy_id"))

    def _site(self) -> str:
        site = self.get("site")
        return str(site["name"]) if site else "—"

    def _town(self) -> str:
        site = self.get("site")
        return str(self.get("town") or (site or {}).get("town") or "—")

    def _trip(self) -> str:
        return self.speech.trip(self.get("trip_id"), self)

    def _inn(self) -> str:
        return self.speech.inn(self.get("inn_id"))

    def _origin(self) -> str:
        code = self.get("origin_division_code")
        return area(code) if code else "—"

    def _origins(self) -> str:
        return "、".join(area(code) for code in self.get("origins") or ()) or "—"

    def _board_stop(self) -> str:
        return self.speech.place(self.get("board_stop"))

    def _stop(self) -> str:
        return self.speech.place(self.get("stop"))

    def _occupation(self) -> str:
        return occupation_name(str(self.get("occupation_code"))) or "—"

    def _capacity(self) -> object:
        return (self.get("vehicle") or {}).get("licensed_capacity", "—")

    def _because(self) -> str:
        words = self.speech.words
        codes = [
            words.code("reason", self.get(name)) for name in ("reason", "rule") if self.get(name)
        ]
        return words("event.because", why=words("event.and").join(codes)) if codes else ""

    def _beds_to(self) -> str:
        words = self.speech.words
        return words("event.until", day=self["to_on"]) if self.get("to_on") else ""
