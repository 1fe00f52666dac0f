"""What an alert says when the pack writes nothing of its own."""

from __future__ import annotations

from monitor.core import rulebook as rb
from monitor.packs.model import AnyRule, ExpectModel, KeepModel, NeverModel, StepsModel, TallyModel

UNITS = {
    "characters/min": ("字/分", "characters/min"),
    "syllables/min": ("音节/分", "syllables/min"),
    "s": ("秒", "s"),
    "dBFS": ("dBFS", "dBFS"),
    "dB": ("dB", "dB"),
    "rings": ("声", "rings"),
}


def default_message(m: AnyRule, title: rb.Text) -> rb.Text:
    """The message of a rule without one; braces are filled by the engine."""
    match m:
        case KeepModel():
            zh, en = UNITS.get(rb.MEASURES[m.measure].unit, ("", ""))
            wanted = "–".join(f"{v:g}" for v in (m.min, m.max) if v is not None)
            return {
                "zh": f"{title['zh']}：{{value}} {zh}（要求 {wanted}）",
                "en": f"{title['en']}: {{value}} {en} (wanted {wanted})",
            }
        case NeverModel() if m.what.says or m.what.say:
            return {"zh": f"{title['zh']}：“{{text}}”", "en": f"{title['en']}: “{{text}}”"}
        case ExpectModel() if m.within:
            return {
                "zh": f"{title['zh']}：{m.within:g} 秒内没有做到",
                "en": f"{title['en']}: not done within {m.within:g} s",
            }
        case StepsModel():
            return {"zh": f"{title['zh']}：缺少步骤 {{step}}", "en": f"{title['en']}: step {{step}} is missing"}
        case TallyModel():
            return {
                "zh": f"{title['zh']}：{{value}} 次（界限 {{limit}}）",
                "en": f"{title['en']}: {{value}} times (limit {{limit}})",
            }
        case _:
            return title
