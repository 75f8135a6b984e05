"""The catalogue of words is whole in both languages, and every event can be said."""

import re
import string
from pathlib import Path

import pytest

from contracts import EVENTS
from contracts.samples import sample
from services.console.domain.fact import STATES
from services.console.domain.task import tasks
from services.console.domain.web_hook import kind_of
from services.console.pages.doing import COMMANDS
from services.console.pages.notice import Notice
from services.console.pages.speech import Speech
from services.console.pages.tasks import ORDER
from services.console.views.names import Names
from services.console.words import EN, LOCALES, ZH, Words, catalogue, negotiated

TEMPLATES = Path(__file__).parents[3] / "services/console/templates"
NOBODY = Names({}, {}, {})
USED = re.compile(r"""\bt\("([a-z_.0-9]+)"[,)]""")


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_each_text_has_both_languages_with_the_same_places() -> None:
    uneven = [
        k for k, (zh, en) in catalogue().items() if not zh or not en or fields(zh) != fields(en)
    ]
    assert uneven == []


def test_every_word_of_the_templates_is_in_the_catalogue() -> None:
    used = {key for p in TEMPLATES.glob("*.html") for key in USED.findall(p.read_text("utf-8"))}
    assert len(used) > 100
    assert used - set(catalogue()) == set()


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("wire_type", sorted(EVENTS))
@pytest.mark.parametrize("full", [True, False])
def test_every_event_is_said_in_a_sentence_without_a_code_in_it(
    wire_type: str, locale: str, *, full: bool
) -> None:
    body = sample(EVENTS[wire_type], full=full).model_dump(mode="json", exclude_none=True)
    said = str(Speech(Words(locale), NOBODY).sentence(wire_type, body))
    assert wire_type not in said
    assert "{" not in said
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}", said), said


def test_what_an_event_says_cannot_become_markup() -> None:
    body = {"title": "<script>alert(1)</script>", "origins": [], "drive_id": "x"}
    said = str(Speech(Words(EN), NOBODY).sentence("recruitment.drive-opened.v1", body))
    assert "<script>" not in said
    assert "&lt;script&gt;" in said


def test_an_unknown_event_is_named_not_hidden() -> None:
    assert (
        Speech(Words(EN), NOBODY).sentence("registry.new-thing.v1", {}) == "registry.new-thing.v1"
    )


def test_names_of_who_is_in_it_stand_in_the_sentence() -> None:
    names = Names({"01890000-0000-7000-8000-000000000101": "临沧市人社局"}, {}, {})
    body = {
        "office_id": "01890000-0000-7000-8000-000000000101", "batch_id": "x", "row_count": 540,
        "accepted_count": 538, "rejected_count": 2, "duplicate_count": 0,
    }  # fmt: skip
    said = Speech(Words(ZH), names).sentence("registry.worker-batch-validated.v1", body)
    assert said.startswith("<b>临沧市人社局</b> 的540人花名册核验完成")


def test_states_tasks_commands_and_events_have_their_words() -> None:
    missing = {f"task.{kind}.{part}" for kind in ORDER for part in ("title", "what")}
    missing |= {f"command.{name}" for name in COMMANDS}
    missing |= {f"kind_name.{kind_of(t)}" for t in EVENTS}
    assert missing - set(catalogue()) == set()
    assert len(STATES) < len(EVENTS)
    assert callable(tasks)


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [("zh-CN,zh;q=0.9", ZH), ("en-US,en;q=0.8", EN), ("fr, en;q=0.5", EN), ("fr", ZH), ("", ZH)],
)
def test_the_browser_s_language_chooses(accepted: str, chosen: str) -> None:
    assert negotiated(accepted, ZH) == chosen


def test_a_text_in_both_languages_is_told_in_one() -> None:
    text = "文件超过 20 MB，请拆分。The file is over 20 MB; split it."
    assert Words(ZH).said(text) == "文件超过 20 MB，请拆分。"
    assert Words(EN).said(text) == "The file is over 20 MB; split it."
    assert Words(EN).said("只有中文。") == "只有中文。"


def test_a_notice_survives_its_cookie_and_a_forged_one_is_nothing() -> None:
    notice = Notice("done", "接受录用：完成 50 项。")
    assert Notice.read(notice.written()) == notice
    assert Notice.read("bm90IGpzb24") is None
    assert Notice.read("!!") is None
