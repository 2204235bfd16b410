"""The core's `NameMatcher`: finds similar names. `nearest` compares all, `NearestNames` a few of fifty thousand."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Sequence
from itertools import islice
from threading import Lock

ALIKE = 70.0
"""Minimum similarity out of 100: `acme/wbe` finds `acme/web`, `acme/zzz` does not."""

ALIKE_ALONE = 60.0
"""The minimum for a name without its `org/`, which is short: `wbe` finds `web`."""

NEAR_THE_BEST = 10.0
"""How far below the best match a name may be. A shared `org/` makes all names of an organisation somewhat similar."""


SCANNED = 1_000
"""At most so many names are compared with a word. Comparing takes 50 ns a name."""

_LISTS_KEPT = 4
_EDGE = "\0"


def nearest(word: str, names: Sequence[str], *, limit: int) -> list[str]:
    """At most `limit` names: first those that contain the word, the shortest first, then those that differ by typos."""
    holding = sorted((name for name in names if word in name), key=len)[:limit] if word else []
    return _with_alike(word, holding, names, limit)


class NearestNames:
    """A `NameMatcher` like `nearest`, for long lists that do not change. Thread-safe.

    The first call with a list prepares it, which takes 10 µs a name. The last lists are remembered by identity.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._lists: OrderedDict[int, PreparedNames] = OrderedDict()

    def __call__(self, word: str, names: Sequence[str], *, limit: int) -> list[str]:
        if len(names) <= SCANNED:
            return nearest(word, names, limit=limit)
        with self._lock:
            known = self._lists.get(id(names))
            if known is None or known.names is not names:
                known = self._lists[id(names)] = PreparedNames(names)
            self._lists.move_to_end(id(names))
            while len(self._lists) > _LISTS_KEPT:
                self._lists.popitem(last=False)
        holding = known.holding(word, limit) if word else []
        return _with_alike(word, holding, known.candidates(word), limit)


class PreparedNames:
    """Names by length, as one text, and by their trigrams."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self._by_length = sorted(names, key=len)
        self._lengths = [len(name) for name in self._by_length]
        self._text = "\n".join(self._by_length)
        self._starts = array("L", [0])
        for name in self._by_length:
            self._starts.append(self._starts[-1] + len(name) + 1)
        self._with: dict[str, array[int]] = {}
        for number, name in enumerate(self._by_length):
            for trigram in _trigrams(name):
                self._with.setdefault(trigram, array("L")).append(number)

    def holding(self, word: str, limit: int) -> list[str]:
        """The `limit` shortest names that contain `word`."""
        found: list[str] = []
        at = self._text.find(word)
        while at >= 0 and len(found) < limit:
            number = bisect_left(self._starts, at + 1) - 1
            if word in self._by_length[number]:  # else the word has a line break and is no name
                found.append(self._by_length[number])
            at = self._text.find(word, self._starts[number + 1])
        return found

    def candidates(self, word: str) -> list[str]:
        """At most `SCANNED` names that share a trigram with `word`: first the rarest trigrams, then similar lengths."""
        lists = sorted((self._with[trigram] for trigram in _trigrams(word) if trigram in self._with), key=len)
        found: dict[int, None] = {}
        for numbers in lists:
            left = SCANNED - len(found)
            middle = bisect_left(numbers, bisect_left(self._lengths, len(word)))
            first = max(0, min(middle - left // 2, len(numbers) - left))
            found.update(dict.fromkeys(numbers[first : first + left]))
            if len(found) >= SCANNED:
                break
        return [self._by_length[number] for number in islice(found, SCANNED)]


def _trigrams(name: str) -> set[str]:
    """With both ends, so that short words that differ in the middle share some."""
    marked = f"{_EDGE}{_EDGE}{name}{_EDGE}"
    return {marked[at : at + 3] for at in range(len(marked) - 2)}


def _with_alike(word: str, holding: list[str], names: Sequence[str], limit: int) -> list[str]:
    if len(holding) == limit:
        return holding
    from rapidfuzz import fuzz, process  # imported late: most bots rarely need it, and it takes three MiB

    alike = process.extract(
        word, names, scorer=fuzz.ratio, score_cutoff=ALIKE if "/" in word else ALIKE_ALONE, limit=limit
    )
    close = [name for name, score, _index in alike if score >= alike[0][1] - NEAR_THE_BEST]
    return list(dict.fromkeys([*holding, *close]))[:limit]
