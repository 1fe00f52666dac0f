"""What is known of a call before it begins goes into its journal and comes out again."""

from __future__ import annotations

import json

from monitor.config import Config
from monitor.core.types import STEREO
from monitor.live.setup import CallSetupRequest

REQUEST = CallSetupRequest("c1", 8000, STEREO, queue="vip", tags=("repeat", "callback"))


def test_there_and_back() -> None:
    assert CallSetupRequest.from_header(json.loads(json.dumps(REQUEST.header()))) == REQUEST


def test_older_journals_have_no_tags() -> None:
    header = REQUEST.header()
    del header["tags"]
    assert CallSetupRequest.from_header(header).tags == ()


def test_tags_reach_the_call() -> None:
    assert Config().setup(8000, STEREO, (), tags=REQUEST.tags).tags == {"repeat", "callback"}
