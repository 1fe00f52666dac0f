"""By when something was promised: the time in an agent's words, as people say it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.fold import NUMERALS, digits, fold

_N = f"[{''.join(sorted(NUMERALS))}]+"

_SPAN = re.compile(
    rf"(?<![周期拜])(?P<n>{_N}|半)个?(?P<half>半)?"
    r"(?P<unit>工作日|小时|钟头|分钟|刻钟|天|日(?=之内|以内|内)|周|星期|礼拜|(?<=个)月)(?P<more>半)?(?:之内|以内|内)?"
)
_WEEK = (
    r"(?P<which>本|这|下)个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天末])?"
    r"|(?:周|星期|礼拜)(?P<bare>[一二三四五六日天末])"
)
_DATE = rf"(?:(?P<month>{_N})月)?(?P<date>{_N})[号日]"
_MOMENT = re.compile(
    rf"(?P<day>今天|今日|今晚|今早|当天|明天|明日|明早|明晚|大后天|后天)?(?:{_WEEK}|{_DATE})?"
    r"(?P<part>凌晨|早上|早晨|上午|中午|下午|傍晚|晚上|下班)?"
    rf"(?:(?P<hour>{_N})点钟?(?:(?P<quarter>半|一刻|三刻)|(?P<minute>{_N})分?)?)?(?:之前|以前|前)?"
)

DAYS = {"今": 0, "当": 0, "明": 1, "后": 2, "大": 3}
PARTS_END = {
    "凌晨": 6, "早": 12, "早上": 12, "早晨": 12, "上午": 12, "中午": 14, "下午": 18, "下班": 18, "傍晚": 20,
    "晚": 24, "晚上": 24,
}  # fmt: skip
"""The hour by which a part of a day is over."""

LATE_PARTS = frozenset({"下午", "傍晚", "晚上", "晚"})
SMALL_HOURS = 6
"""Hours up to this one mean the afternoon, unless the part of the day is said: nobody calls back at three at night."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """``said``: the words for the time, folded; ``due``: the moment, in the zone of the promise."""

    said: str
    due: datetime


def read_deadline(text: str, made: datetime) -> Deadline | None:
    """The time that ``text`` names, said at the local time ``made``; None when there is none in it.

    Hours and minutes are exact; days and weeks end with the day, working days are Monday to Friday.
    """
    folded = fold(text)
    if (span := _SPAN.search(folded)) is not None and (due := _after(span, made)) is not None:
        return Deadline(span[0], due)
    for found in _MOMENT.finditer(folded):
        if any(found.groupdict().values()) and (moment := _moment(found, made)) is not None:
            return Deadline(found[0], moment)
    return None


def _number(text: str | None) -> int | None:
    said = digits((text or "").replace("两", "二"))  # 两 alone is no digit that somebody would dictate
    return int(said) if said and len(said) <= 3 else None


def _after(span: re.Match[str], made: datetime) -> datetime | None:
    whole = 0 if span["n"] == "半" else _number(span["n"])
    if whole is None:
        return None
    count = whole + (0.5 if span["n"] == "半" or span["half"] or span["more"] else 0)
    match span["unit"]:
        case "小时" | "钟头":
            return made + timedelta(hours=count)
        case "分钟":
            return made + timedelta(minutes=count)
        case "刻钟":
            return made + timedelta(minutes=15 * count)
        case "工作日":
            return _working(made, round(count))
        case "天" | "日":
            return made + timedelta(hours=12) if count < 1 else _end(made + timedelta(days=count))
        case "月":
            return _end(made + timedelta(days=30 * count))
    return _end(made + timedelta(weeks=count))


def _working(made: datetime, days: int) -> datetime:
    day = made
    while days > 0:
        day += timedelta(days=1)
        days -= day.weekday() < 5
    return _end(day)


def _end(day: datetime) -> datetime:
    """The midnight that ends a day."""
    return _at(day, 24)


def _at(day: datetime, hour: int, minute: int = 0) -> datetime:
    midnight = day.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(hours=hour, minutes=minute)


def _moment(found: re.Match[str], made: datetime) -> datetime | None:
    day = _day(found, made)
    named = found["day"] or ""
    part = found["part"] or (named[1] if named[1:] in ("早", "晚") else "")
    hour = _number(found["hour"])
    if found["hour"] is None:
        if day is None and not part:
            return None
        return _at(day or made, PARTS_END[part] if part else 24)
    minute = _minute(found)
    if hour is None or hour > 24 or minute is None or minute > 59:
        return None
    late = part in LATE_PARTS and hour < 12
    noon = part == "中午" and hour < SMALL_HOURS
    if late or noon or (not part and day is not None and 0 < hour <= SMALL_HOURS):
        hour += 12
    if day is not None or part:
        return _at(day or made, hour, minute)
    return next(at for h in (hour, hour + 12, hour + 24) if (at := _at(made, h, minute)) > made or h == hour + 24)


def _minute(found: re.Match[str]) -> int | None:
    quarter = {"半": 30, "一刻": 15, "三刻": 45}.get(found["quarter"] or "")
    return quarter if quarter is not None else _number(found["minute"]) if found["minute"] else 0


def _day(found: re.Match[str], made: datetime) -> datetime | None:
    """The day that is named, None when none is."""
    if found["day"]:
        return made + timedelta(days=DAYS[found["day"][0]])
    if found["which"] or found["bare"]:
        name = found["weekday"] or found["bare"] or "末"
        weekday = 6 if name in "日天末" else "一二三四五六".index(name)
        day = made + timedelta(days=weekday - made.weekday() + (7 if found["which"] == "下" else 0))
        return day + timedelta(days=7) if day.date() < made.date() and found["bare"] else day
    if found["date"]:
        return _date(_number(found["month"]), _number(found["date"]), made)
    return None


def _date(month: int | None, date: int | None, made: datetime) -> datetime | None:
    """The next such day of the calendar."""
    for ahead in range(367):
        day = made + timedelta(days=ahead)
        if day.day == date and month in (None, day.month):
            return day
    return None
