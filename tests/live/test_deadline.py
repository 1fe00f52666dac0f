"""Times in promises: said in words or digits, of an hour, a day or a week."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from monitor.live.deadline import read_deadline

ZONE = timezone(timedelta(hours=8))
THURSDAY = datetime(2026, 3, 5, 14, 20, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("text", "due"),
    [
        ("我们在二十四小时内给您回复", "2026-03-06T14:20"),
        ("24小时之内答复您", "2026-03-06T14:20"),
        ("半小时内给您回电", "2026-03-05T14:50"),
        ("一个半小时内", "2026-03-05T15:50"),
        ("十五分钟后联系您", "2026-03-05T14:35"),
        ("一刻钟内", "2026-03-05T14:35"),
        ("两个工作日内答复", "2026-03-10T00:00"),  # Friday, then Monday until its end
        ("三到五个工作日", "2026-03-13T00:00"),
        ("三天内", "2026-03-09T00:00"),
        ("两周内", "2026-03-20T00:00"),
        ("明天之前给您答复", "2026-03-07T00:00"),
        ("最晚明晚给您", "2026-03-07T00:00"),
        ("明天上午十点之前", "2026-03-06T10:00"),
        ("后天三点前", "2026-03-07T15:00"),
        ("今天下午五点前", "2026-03-05T17:00"),
        ("在十点半之前回电", "2026-03-05T22:30"),
        ("今天下班前", "2026-03-05T18:00"),
        ("周一之前", "2026-03-10T00:00"),
        ("下周三前回复", "2026-03-12T00:00"),
        ("本周内", "2026-03-09T00:00"),
        ("三号之前", "2026-04-04T00:00"),
    ],
)
def test_what_people_say(text: str, due: str) -> None:
    found = read_deadline(text, THURSDAY)
    assert found is not None
    assert found.due == datetime.fromisoformat(due).replace(tzinfo=ZONE)


@pytest.mark.parametrize("text", ["尽快给您回复", "稍后联系您", "", "二十九点前", "一三八一二三四五六七八小时"])
def test_no_time_in_it(text: str) -> None:
    assert read_deadline(text, THURSDAY) is None
