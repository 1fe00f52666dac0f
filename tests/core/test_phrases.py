from __future__ import annotations

import random
import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.fold import digits, fold
from monitor.core.patterns import CompiledPhrase, compile_phrase
from monitor.core.phrases import PhraseBook, Spotter
from monitor.core.types import Channel, Match, PhraseHit, Word

RATE = 8000
STEP = RATE // 4
"""Every character lasts a quarter of a second."""


def speech(text: str, at: int = 0) -> list[Word]:
    """``text`` as one word a character; a ``|`` is half a second of silence."""
    words = []
    for char in text:
        if char == "|":
            at += RATE // 2
        else:
            words.append(Word(char, at, at + STEP))
            at += STEP
    return words


def settle(spotter: Spotter, words: Sequence[Word]) -> list[PhraseHit]:
    return spotter.settle(words, words[0].start, words[-1].end) if words else []


def listen(phrases: Sequence[CompiledPhrase], *segments: str) -> list[PhraseHit]:
    """The hits in segments that follow one another at once."""
    spotter, at, hits = Spotter(PhraseBook(phrases), Channel.AGENT, RATE), 0, []
    for segment in segments:
        words = speech(segment, at)
        hits += settle(spotter, words)
        at = words[-1].end
    return hits


def one(patterns: Sequence[str], *segments: str, **how: Any) -> list[PhraseHit]:
    return listen([compile_phrase("p", patterns, **how)], *segments)


def texts(hits: Sequence[PhraseHit]) -> list[str]:
    return [hit.text for hit in hits]


# ---------------------------------------------------------------- one phrase


def test_a_hit_says_where_and_how() -> None:
    (hit,) = one(["请您稍等"], "好的请您烧等啊")
    assert hit == PhraseHit(
        "p", Channel.AGENT, 2 * STEP, 6 * STEP, "请您烧等", Match.SOUND, 0.95, settled=True, slots=()
    )


@pytest.mark.parametrize(
    ("heard", "match"),
    [
        ("请问有什么可以帮到您", Match.EXACT),
        ("請問有什麼可以幫到您", Match.EXACT),
        ("请，问有什么可以、帮到您？", Match.EXACT),
        ("请问有什么可以帮道您", Match.SOUND),
        ("青问有森么可以邦到林", Match.SOUND),
        ("请问有什么能帮到您", Match.NEAR),
        ("请问有什么可以帮到", Match.NEAR),
        ("问有什么可以帮到您", Match.NEAR),
    ],
)
def test_wordings_of_one_phrase(heard: str, match: Match) -> None:
    (hit,) = one(["请问有什么可以帮到您"], heard)
    assert hit.match == match
    assert (hit.score == 1.0) == (match == Match.EXACT)


def test_alternatives_and_options() -> None:
    patterns = ["(非常/很)抱歉/对不起", "感谢您的(耐心)等待"]
    assert texts(one(patterns, "很抱歉让你久等了感谢您的等待")) == ["很抱歉", "感谢您的等待"]
    assert texts(one(patterns, "对不起感谢您的耐心等待")) == ["对不起", "感谢您的耐心等待"]


def test_gaps_are_bounded_in_characters_and_time() -> None:
    assert texts(one(["您是想…对吗"], "您是想退货对吗")) == ["您是想退货对吗"]
    assert texts(one(["您是想…对吗"], "您是想对吗")) == ["您是想对吗"]
    assert one(["您是想…对吗"], "您是想" + "一" * 16 + "对吗")
    assert not one(["您是想…对吗"], "您是想" + "一" * 17 + "对吗")
    assert one(["您是想…对吗"], "您是想|退|货|啊|对吗")
    assert one(["您是想…对吗"], "您是想||退||货||啊||对吗")  # 5 s
    assert not one(["您是想…对吗"], "您是想|||退|||货|||啊|||呢|||哦|||对吗")  # more than 8 s


def test_slots_keep_what_stood_there() -> None:
    (hit,) = one(["您好X客服部X号为您服务"], "您好顺创客服部八六五号为您服务")
    assert hit.slots == ("顺创", "八六五")
    assert one(["您好X客服部"], "您好" + "好" * 8 + "客服部")
    assert not one(["您好X客服部"], "您好" + "好" * 9 + "客服部")
    assert not one(["您好X客服部"], "您好客服部")


def test_a_slot_takes_a_long_number() -> None:
    (hit,) = one(["您的电话号码是X对吗"], "您的电话号码是幺三八|零零幺三|八零零零对吗")
    assert digits(hit.slots[0]) == "13800138000"
    assert not one(["卡号是X对吗"], "卡号是" + "三" * 25 + "对吗")


@pytest.mark.parametrize(
    ("heard", "slot"),
    [
        ("我的工号8654为您服务", "8654"),
        ("我的工号是八六五四", "是八六五四"),
        ("我的工号零二|三四|您好", "零二三四"),
        ("我的工号零二||三四", "零二三四"),
        ("我的工号零二|||三四", "零二"),
        ("我的工号小王|请问", "小王"),
        ("我的工号一二三四五六七八九", "一二三四五六七八九"),
        ("我的工号天地玄黄宇宙洪荒日月", "天地玄黄宇宙洪荒"),
    ],
)
def test_a_slot_at_the_end_takes_what_belongs_together(heard: str, slot: str) -> None:
    (hit,) = one(["工号X"], heard)
    assert hit.slots == (slot,)
    assert hit.text == "工号" + slot


def test_a_slot_at_the_beginning_takes_a_name_or_a_number() -> None:
    assert one(["X先生"], "好的王先生")[0].slots == ("王",)
    assert one(["X号为您服务"], "我是一二三号为您服务")[0].slots == ("一二三",)
    assert not one(["X先生"], "先生您好")
    assert not one(["X先生"], "好|先生您好")


def test_a_slot_at_the_end_may_begin_in_the_next_segment() -> None:
    assert one(["我的工号是X"], "我的工号是", "八六五")[0].slots == ("八六五",)


def test_words_of_several_characters_share_their_time() -> None:
    spotter = Spotter(PhraseBook([compile_phrase("p", ["请拨10086"])]), Channel.AGENT, RATE)
    words = [Word("您请", 0, 2000), Word("，拨打", 2000, 4000), Word("10086", 4000, 9000), Word("啊", 9000, 9500)]
    (hit,) = spotter.settle(words, 0, 9500)
    assert (hit.start, hit.end, hit.text, hit.match) == (1000, 9000, "请拨打10086", Match.NEAR)


def test_words_are_kept_within_their_segment() -> None:
    spotter = Spotter(PhraseBook([compile_phrase("p", ["再见"])]), Channel.AGENT, RATE)
    (hit,) = spotter.settle([Word("再", 90, 200), Word("见", 200, 420)], 100, 400)
    assert (hit.start, hit.end) == (100, 400)


def test_by_sound_and_exactly() -> None:
    assert one(["请您稍等"], "请您烧等", by="sound")
    assert not one(["请您稍等"], "请稍等", by="sound")
    assert not one(["请您稍等"], "请您烧等", by="exact")
    assert one(["请您稍等"], "请您稍等", by="exact")


@pytest.mark.parametrize(
    ("pattern", "heard"),
    [
        ("不归我管", "这个就归我管"),
        ("不知道", "我知道"),
        ("再见", "请您再讲一遍"),
        ("再见", "现在线上"),
        ("您不对", "跟您核对一下"),
        ("祝您愉快", "周末愉快"),
        ("对不起", "对得起您"),
        ("我怎么知道", "您怎么知道"),
        ("你想怎样", "您想要什么"),
        ("谢谢", "一个鞋子"),
        ("工号是X号", "工号是好的"),
        ("我不能接受您的要求", "我能接受您的要求"),
        ("请您稍等", "请您稍后再打"),
        ("客服热线九五五九八", "客服热线九五五八八"),
    ],
)
def test_look_alikes_are_something_else(pattern: str, heard: str) -> None:
    assert not one([pattern], heard)


# ---------------------------------------------------------------- occurrences


def test_each_occurrence_is_reported_once_and_at_its_last_character() -> None:
    patterns = ["让您久等", "让您久等了", "很抱歉让您久等了"]
    hits = one(patterns, "很抱歉让您久等了|让您久等了啊")
    assert texts(hits) == ["让您久等", "让您久等"]
    assert texts(one(["谢谢"], "谢谢谢谢谢")) == ["谢谢", "谢谢"]


def test_of_phrasings_that_end_together_the_best_is_taken() -> None:
    (hit,) = one(["有什么可以帮您", "有什么可以帮到您"], "有什么可以帮到您")
    assert hit.match == Match.EXACT
    (hit,) = one(["(您好)…请问贵姓"], "您好啊请问贵姓")
    assert hit.text == "您好啊请问贵姓"


def test_a_better_match_a_few_characters_later_replaces_a_tentative_one() -> None:
    (hit,) = one(["请问有什么可以帮您", "请问有什么可以帮助您"], "请问有什么可以帮助您")
    assert hit.match == Match.EXACT
    (hit,) = one(["请问有什么可以帮您"], "请问有什么可以帮我也不知道怎么说")
    assert (hit.text, hit.match) == ("请问有什么可以帮", Match.NEAR)


def test_phrases_run_across_segments_and_short_pauses_only() -> None:
    assert texts(one(["请您稍等"], "请您", "稍等")) == ["请您稍等"]
    assert texts(one(["请您稍等"], "请您", "||||稍等")) == ["请您稍等"]  # 2 s
    assert one(["请您稍等"], "请您", "|||||稍等") == []


def test_lost_audio_breaks_phrases() -> None:
    spotter = Spotter(PhraseBook([compile_phrase("p", ["请您稍等", "工号X"])]), Channel.AGENT, RATE)
    assert settle(spotter, speech("请您")) == []
    spotter.reset()
    assert settle(spotter, speech("稍等工号", 2 * STEP)) == []
    spotter.reset()
    assert settle(spotter, speech("八六五请您稍等", 6 * STEP)) == [
        PhraseHit("p", Channel.AGENT, 9 * STEP, 13 * STEP, "请您稍等", Match.EXACT, 1.0)
    ]


def test_what_cancels_takes_back_a_hit_before_it_is_reported() -> None:
    how = {"not_in": ["(请您)稍等一下我没听清", "不用请您稍等"]}
    assert one(["请您稍等"], "请您稍等一下我没听清", **how) == []
    assert one(["请您稍等"], "不用请您稍等了", **how) == []
    assert texts(one(["请您稍等"], "请您稍等一下我帮您查", **how)) == ["请您稍等"]
    assert texts(one(["请您稍等"], "请您稍等", "一下我没听清", **how)) == ["请您稍等"]  # segment over: decided
    assert texts(one(["请您稍等"], "请您稍等一下我没听清请您稍等", **how)) == ["请您稍等"]
    assert texts(one(["请您稍等"], "请您稍等" + "好" * 40, **how)) == ["请您稍等"]


@pytest.mark.parametrize(
    ("heard", "said", "opening"),
    [
        ("喂", ["喂"], ["喂"]),
        ("喂喂", ["喂喂"], ["喂喂"]),
        ("喂，你", [], ["喂"]),
        ("啊喂呀", ["喂"], ["喂"]),
        ("喂奶粉", [], ["喂"]),
        ("喂您好", [], ["喂"]),
        ("您好喂", [], []),
        ("您好|喂|请讲", ["喂"], ["喂"]),
        ("您好|喂请讲", [], ["喂"]),
        ("位", [], []),
        ("啊", [], []),
        ("喂" + "您好" * 20, [], ["喂"]),
    ],
)
def test_short_phrases_need_their_own_turn(heard: str, said: list[str], opening: list[str]) -> None:
    assert texts(one(["喂"], heard, alone=True)) == said
    assert texts(one(["喂"], heard, alone=True, leading=True)) == opening


def test_the_place_of_a_phrase_said_alone() -> None:
    (hit,) = one(["喂"], "您好|啊喂喂", alone=True)
    start = 3 * STEP + RATE // 2
    assert (hit.start, hit.end, hit.match, hit.score) == (start, start + 2 * STEP, Match.EXACT, 1.0)


# ---------------------------------------------------------------- peeking


def test_peeking_sees_provisional_words_and_changes_nothing() -> None:
    phrases = [
        compile_phrase("wait", ["请您稍等"], not_in=["稍等一下我没听清"]),
        compile_phrase("number", ["工号X"]),
        compile_phrase("wei", ["喂"], alone=True),
    ]
    spotter = Spotter(PhraseBook(phrases), Channel.CUSTOMER, RATE)
    settle(spotter, speech("请您"))
    later = speech("稍等|工号八六|喂", 2 * STEP)
    for _ in range(2):
        seen = spotter.peek(later, later[0].start, later[-1].end)
        assert [(hit.phrase, hit.settled) for hit in seen] == [("number", False), ("wait", False), ("wei", False)]
    assert spotter.peek(speech("您好", 2 * STEP), 2 * STEP, 4 * STEP) == []
    hits = settle(spotter, later)
    assert [(hit.phrase, hit.start, hit.slots) for hit in hits] == [(hit.phrase, hit.start, hit.slots) for hit in seen]
    assert all(hit.settled and hit.channel is Channel.CUSTOMER for hit in hits)


def peeked(spotter: Spotter, words: Sequence[Word]) -> list[PhraseHit]:
    return spotter.peek(words, words[0].start, words[-1].end) if words else []


# ---------------------------------------------------------------- invariants

FIRM = [
    compile_phrase("exact", ["请您稍等", "好的"], by="exact"),
    compile_phrase("sound", ["请问有什么可以帮到您"], by="sound"),
    compile_phrase("near", ["请您稍等", "不归我管", "麻烦您等等"]),
    compile_phrase("gap", ["您是想…对吗", "谢谢…再见"]),
    compile_phrase("slot", ["工号是X号", "X先生", "请X稍等"]),
]
LONG = [compile_phrase("long", ["请问有什么可以帮到您", "感谢您的耐心等待"])]
BOOKS = {"firm": PhraseBook(FIRM), "long": PhraseBook(LONG)}

BITS = [
    *("请您稍等", "请问有什么可以帮到您", "不归我管", "麻烦您等等", "您是想", "对吗", "谢谢", "再见", "工号是", "号"),
    *("先生", "王", "八六五", "感谢您的耐心等待", "请", "稍", "等", "您", "好的", "烧", "|", "||", "|||||"),
]
TALK = st.lists(st.sampled_from(BITS), max_size=14).map("".join)


def cut_up(words: list[Word], cuts: Sequence[int]) -> list[list[Word]]:
    places = sorted({0, len(words), *(cut % (len(words) + 1) for cut in cuts)})
    return [words[first:last] for first, last in pairwise(places)]


def in_segments(book: PhraseBook, words: list[Word], cuts: Sequence[int], peek: bool = False) -> list[PhraseHit]:
    spotter, hits = Spotter(book, Channel.AGENT, RATE), []
    for segment in cut_up(words, cuts):
        if peek:
            spotter.peek(segment[:-1], segment[0].start, segment[-1].end)
        hits += settle(spotter, segment)
    return hits


@settings(max_examples=250)
@given(TALK, st.lists(st.integers(0, 200), max_size=8))
def test_segments_make_no_difference(talk: str, cuts: list[int]) -> None:
    words = speech(talk)
    whole = in_segments(BOOKS["firm"], words, [])
    assert in_segments(BOOKS["firm"], words, cuts) == whole
    assert in_segments(BOOKS["firm"], words, range(len(words)), peek=True) == whole


@settings(max_examples=250)
@given(TALK, TALK, st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=8))
def test_what_was_peeked_before_makes_no_difference(talk: str, other: str, looks: list[tuple[int, bool]]) -> None:
    """Early words grow, shrink and change; every look finds what it would find had it been the first."""
    spotter = Spotter(BOOKS["firm"], Channel.AGENT, RATE)
    for length, changed in [*sorted(looks), *looks]:
        words = (speech(talk[: length // 2] + other) if changed else speech(talk))[:length]
        fresh = Spotter(BOOKS["firm"], Channel.AGENT, RATE)
        assert peeked(spotter, words) == peeked(fresh, words)


@settings(max_examples=150)
@given(TALK, st.lists(st.integers(0, 200), max_size=8))
def test_whole_matches_of_long_pieces_are_found_however_they_are_cut(talk: str, cuts: list[int]) -> None:
    words = speech(talk)
    cut = in_segments(BOOKS["long"], words, cuts)
    for hit in in_segments(BOOKS["long"], words, []):
        if hit.match is Match.EXACT:
            assert sum(other.start < hit.end and hit.start < other.end for other in cut) == 1


@settings(max_examples=100)
@given(st.text(alphabet="请您稍等好", max_size=30))
def test_exact_hits_are_those_of_a_plain_search(talk: str) -> None:
    found, at = [], talk.find("您稍")
    while at >= 0:
        found.append(at)
        at = talk.find("您稍", at + 2)
    hits = one(["您稍"], talk, by="exact") if talk else []
    assert [hit.start // STEP for hit in hits] == found


@settings(max_examples=100)
@given(TALK)
def test_hits_of_a_phrase_never_overlap_and_lie_in_the_speech(talk: str) -> None:
    words = speech(talk)
    for book in BOOKS.values():
        last: dict[str, int] = {}
        for hit in in_segments(book, words, []):
            assert last.get(hit.phrase, 0) <= hit.start < hit.end <= words[-1].end
            assert 0 < hit.score <= 1
            assert hit.text in talk.replace("|", "")
            last[hit.phrase] = hit.end


def test_memory_is_bounded_in_a_long_call() -> None:
    spotter = Spotter(PhraseBook(FIRM), Channel.AGENT, RATE)
    talk = "工号是八六五号请您稍等我看看麻烦"
    at, found = 0, 0
    for _ in range(200):
        words = speech(talk, at)
        found += sum(hit.phrase == "exact" for hit in settle(spotter, words))
        at = words[-1].end
    assert found == 200
    assert len(spotter._ear.spoken.chars) <= 2 * spotter.book.memory + len(talk)


# ---------------------------------------------------------------- false alarms and speed

UNRELATED = """
今天早上我去菜市场买了两斤苹果和一条鱼，回家的路上遇到了多年没见的老同学，我们聊了很久。
故宫的角楼在雪中显得格外安静，游客们举着伞慢慢走过金水桥，孩子们在广场上堆起了一个小雪人。
科学家发现这种细菌能够在高温和强酸的环境下存活，这为寻找地外生命提供了新的线索。
他把旧自行车推到院子里，换了链条，又给轮胎打足了气，打算周末骑车去海边看日出。
会议讨论了明年的预算安排，财务主管认为差旅支出应当再压缩百分之十，市场部对此表示反对。
老师让同学们把课文朗读一遍，然后分组讨论作者为什么要用这么多比喻来描写秋天的田野。
这家饭馆的红烧肉肥而不腻，汤也炖得很浓，价格公道，所以每到晚上门口总是排着长队。
列车晚点了四十分钟，站台上的人越来越多，广播里一遍又一遍地播放着同样的通知。
小说的主人公在战争中失去了家园，他带着妹妹一路南下，靠修补渔网勉强维持生活。
医生说多喝水多休息，不要熬夜，血压就会慢慢降下来，药先吃半个月再来复查。
球队在最后三分钟连进两球，看台上的球迷都站了起来，解说员激动得连声音都变了。
工程师把传感器装在桥墩上，每隔十秒记录一次振动数据，再通过无线网络传回控制中心。
奶奶喂完鸡，把院子扫得干干净净，坐在葡萄架下面一边剥豆子一边听收音机里的评书。
"""

SCRIPTS = [
    *(
        "您好请问有什么可以帮(到/助)您",
        "请您稍等(片刻)",
        "感谢您的(耐心)等待",
        "让您久等了",
        "不归我(们)管",
        "我怎么知道",
    ),
    *(
        "你想怎样",
        "你不明白",
        "谁告诉您的",
        "请问您贵姓",
        "X先生您好",
        "工号X",
        "您是(想/的意思是)…(对吗/是吗)",
        "祝您愉快",
    ),
    *(
        "谢谢…再见",
        "很抱歉",
        "对不起",
        "不好意思",
        "不知道",
        "(稍后/尽快)(给您)(回电/回复)",
        "没关系",
        "这是我们应该做的",
    ),
    *("请放心…我们会跟踪处理", "我(没有/没)错", "他不在", "你怎么这样", "刚才电话(断/掉)线", "请您原谅", "您不对"),
]


def test_unrelated_speech_raises_no_alarm() -> None:
    book = [compile_phrase(pattern, [pattern]) for pattern in SCRIPTS]
    book.append(compile_phrase("wei", ["喂"], alone=True))
    assert len(fold(UNRELATED)) > 450
    assert listen(book, *UNRELATED.split()) == []


def test_a_word_costs_little_however_many_phrases_there_are() -> None:
    chooser = random.Random(5)
    letters = sorted(set(fold(UNRELATED)))
    patterns = ["".join(chooser.choices(letters, k=chooser.randint(3, 14))) for _ in range(800)]
    book = PhraseBook([compile_phrase(f"{n}", [pattern]) for n, pattern in enumerate(patterns)])
    talk = UNRELATED.replace("\n", "") + "".join(chooser.sample(patterns, 60))
    spotter = Spotter(book, Channel.AGENT, RATE)
    settle(spotter, speech(talk))
    again = speech(talk, 10**7)
    before = time.process_time()
    settle(spotter, again)
    assert (time.process_time() - before) / len(again) < 1e-3  # measured: below 0.1 ms


def test_phrases_have_names_of_their_own() -> None:
    with pytest.raises(ValueError, match="same name: wait"):
        PhraseBook([compile_phrase("wait", ["请稍等"]), compile_phrase("wait", ["稍等"])])
