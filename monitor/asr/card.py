"""A model's card: what it was made for and what it can take, read by the engine and shown to people."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

CARD_FILE = "card.json"


class Card(BaseModel):
    """Facts about a model folder. The defaults describe ordinary models of either kind, which have no card."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = Field(default=1, ge=1, le=1)
    name: str = ""
    title: str = ""
    licence: str = ""
    trained_on: str = ""
    human_speech: bool = Field(default=True, description="false: not measured on human speech")
    max_seconds: float = Field(default=28.0, gt=1.0, le=30.0, description="longest stretch heard in one go")
    real_length_windows: bool = Field(default=False, description="true: needs no padding to 30 s")
    partial_tail_seconds: float = Field(default=1.0, ge=0.0, description="padding of a provisional pass")
    final_tail_seconds: float = Field(default=4.0, ge=0.0, description="padding of a final pass")
    partial_beam: int = Field(default=1, ge=1, description="width of the search of a provisional pass, unspelled")
    final_beam: int = Field(default=5, ge=1, description="width of the search of a final pass, unspelled")
    language_model: str | None = Field(default=None, description="file of character n-grams that choose the spelling")
    language_weight: float = Field(default=0.7, ge=0.0, le=2.0, description="of the n-grams; the model's own is 1")
    peak_dbfs: float | None = Field(default=None, le=0.0, description="level to which peaks are brought")
    hiss_dbfs: float | None = Field(default=None, le=-40.0, description="noise added to digital silence")
    hot_words: bool = Field(default=True, description="understands a prompt with expected words")
    start_bias_seconds: float = Field(
        default=0.0, ge=-0.5, le=0.5, description="Whisper: added to aligned times; streaming: how late tokens come"
    )
    alignment_filter: int = Field(default=7, ge=1, description="width of the median filter on the alignment")
    tail_seconds: float = Field(default=0.8, ge=0.0, le=4.0, description="silence fed after the end of a stream")
    chunk_frames: int | None = Field(default=None, ge=1, description="frames written in one step of a stream")
    left_chunks: int | None = Field(default=None, ge=0, description="steps looked back upon by attention")
    sha256: dict[str, str] = Field(default_factory=dict, description="file name to digest")


def read_card(folder: Path) -> Card:
    """The card of a model folder, or the defaults where there is none.

    Raises ``pydantic.ValidationError`` for a card that is no card, ``OSError`` when it cannot be read.
    """
    file = folder / CARD_FILE
    return Card.model_validate_json(file.read_bytes()) if file.is_file() else Card()
