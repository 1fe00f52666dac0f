"""Which character follows which: a language model of character n-grams, as a small file beside a speech model.

An n-gram's probability is stored where it was met often enough, else that of its shorter end is taken times the
weight that its beginning gives away: back-off as in the field's ARPA files (Katz 1987).
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from monitor.asr.errors import ModelError

BITS = 12
"""Of each symbol's number in the key of an n-gram; the earliest symbol stands highest."""

EDGE = 0
"""The symbol before and after everything that is said in one go."""

STEP = 1 / 12
"""Of stored logarithms (natural), one byte each."""

LONGEST = 64 // BITS

Keys = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Order:
    """All n-grams of one length: sorted keys, log probability and log weight of backing off, all of shape (n,)."""

    keys: Keys
    probability: Numbers
    back_off: Numbers

    def find(self, keys: Keys) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """Where each key stands, and whether it does."""
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return places, self.keys[places] == keys


@dataclass(frozen=True, slots=True)
class Ngrams:
    """``characters`` have the numbers from 1; ``orders`` hold n-grams of 1, 2, … symbols, each of at least one."""

    characters: str
    orders: tuple[Order, ...]

    def score(self, histories: Keys, symbols: Keys) -> Numbers:
        """Natural log of how probable each symbol is after its history.

        Both of one shape; a history is the key of the last ``len(orders) - 1`` symbols, or of as many as there were.
        A symbol that the file does not know must not be asked for.
        """
        total = np.zeros(histories.shape)
        open_ = np.ones(histories.shape, dtype=bool)
        for length in range(len(self.orders) - 1, -1, -1):
            history = last(histories, length)
            places, known = self.orders[length].find(history << np.uint64(BITS) | symbols)
            total += np.where(open_ & known, self.orders[length].probability[places], 0.0)
            open_ &= ~known
            if not length or not open_.any():
                break
            places, known = self.orders[length - 1].find(history)
            total += np.where(open_ & known, self.orders[length - 1].back_off[places], 0.0)
        return total

    def after(self, histories: Keys, symbols: Keys) -> Keys:
        """The history once the symbol has been said."""
        return last(histories << np.uint64(BITS) | symbols, len(self.orders) - 1)

    def save(self, file: Path) -> None:
        """Write the file. The same n-grams give the same bytes."""
        arrays: dict[str, npt.NDArray[np.generic]] = {"characters": np.array(list(self.characters))}
        for length, order in enumerate(self.orders, 1):
            gaps = np.diff(order.keys, prepend=np.uint64(0))
            arrays[f"gaps{length}"] = np.ascontiguousarray(gaps.view(np.uint8).reshape(-1, 8).T)  # deflates to a third
            arrays[f"probability{length}"] = _to_bytes(order.probability)
            arrays[f"back_off{length}"] = _to_bytes(order.back_off)
        with zipfile.ZipFile(file, "w", compresslevel=9) as archive:
            for name, array in arrays.items():
                entry = zipfile.ZipInfo(f"{name}.npy")  # has one and the same date
                entry.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(entry, "w") as part:
                    np.lib.format.write_array(part, array, allow_pickle=False)


def load(file: Path) -> Ngrams:
    """Read a file of ``Ngrams.save``. Raises ``ModelError`` for any other."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            lengths = range(1, sum(name.startswith("gaps") for name in arrays) + 1)
            orders = tuple(
                Order(
                    np.cumsum(np.ascontiguousarray(arrays[f"gaps{n}"].T).view(np.uint64).ravel(), dtype=np.uint64),
                    arrays[f"probability{n}"] * -STEP,
                    arrays[f"back_off{n}"] * -STEP,
                )
                for n in lengths
            )
            characters = "".join(arrays["characters"])
    except (OSError, EOFError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as problem:
        raise ModelError(f"{file} cannot be read: {problem}. Copy or pull the model again.") from problem
    if not orders or any(not len(order.keys) for order in orders):
        raise ModelError(f"{file} holds no n-grams. Copy or pull the model again.")
    return Ngrams(characters, orders)


def last(keys: Keys, length: int) -> Keys:
    """The keys of the last ``length`` symbols of n-grams."""
    return keys & np.uint64((1 << BITS * length) - 1)


def _to_bytes(logs: Numbers) -> npt.NDArray[np.uint8]:
    return np.clip(np.round(logs / -STEP), 0, 255).astype(np.uint8)
