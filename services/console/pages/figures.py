"""Numbers, days and moments as people read them, in their language and in Shanghai's time."""

from datetime import date, datetime, timedelta
from typing import Final

from services.console.words import ZH
from shared.clock import SHANGHAI

_WEEKDAYS_ZH: Final = "一二三四五六日"
_WEEKDAYS_EN: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400


def grouped(number: float) -> str:
    """Give a number with its thousands apart."""
    return f"{number:,}"


def as_date(value: object) -> date:
    """Read a civil date; an instant's is Shanghai's."""
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).date()
    if isinstance(value, date):
        return value
    text = str(value)
    return as_date(as_moment(text)) if "T" in text else date.fromisoformat(text)


def as_moment(value: object) -> datetime:
    """Read an instant, in Shanghai's time."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.astimezone(SHANGHAI)


def day(value: object, locale: str) -> str:
    """Give a day with its weekday."""
    found = as_date(value)
    if locale == ZH:
        return f"{found.month}月{found.day}日 周{_WEEKDAYS_ZH[found.weekday()]}"
    return f"{_WEEKDAYS_EN[found.weekday()]} {found.day} {_MONTHS[found.month - 1]}"


def moment(value: object, locale: str) -> str:
    """Give a moment to the minute."""
    found = as_moment(value)
    if locale == ZH:
        return f"{found.month}月{found.day}日 {found:%H:%M}"
    return f"{found.day} {_MONTHS[found.month - 1]} {found:%H:%M}"


def clock(value: object) -> str:
    """Give a moment's time of day to the second."""
    return f"{as_moment(value):%H:%M:%S}"


def span(seconds: float, locale: str) -> str:
    """Give a length of time in its largest unit."""
    units = ("秒", "分钟", "小时", "天") if locale == ZH else (" s", " min", " h", " d")
    whole = max(0, int(seconds))
    for limit, unit, name in (
        (_MINUTE, 1, units[0]),
        (_HOUR, _MINUTE, units[1]),
        (2 * _DAY, _HOUR, units[2]),
    ):
        if whole < limit:
            return f"{whole // unit}{name}"
    return f"{whole // _DAY}{units[3]}"


def since(value: object, now: datetime, locale: str) -> str:
    """Give how long ago a moment was."""
    return span((now - as_moment(value)) / timedelta(seconds=1), locale)
