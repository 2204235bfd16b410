"""The core's `NameMatcher`: finds similar names, fast enough for ten thousand of them."""

from __future__ import annotations

from collections.abc import Sequence

ALIKE = 70.0
"""Minimum similarity out of 100: `acme/wbe` finds `acme/web`, `acme/zzz` does not."""

ALIKE_ALONE = 60.0
"""The minimum for a name without its `org/`, which is short: `wbe` finds `web`."""

NEAR_THE_BEST = 10.0
"""How far below the best match a name may be. A shared `org/` makes all names of an organisation somewhat similar."""


def nearest(word: str, names: Sequence[str], *, limit: int) -> list[str]:
    """At most `limit` names: first those that contain the word, the shortest first, then those that differ by typos."""
    holding = sorted((name for name in names if word in name), key=len)[:limit] if word else []
    if len(holding) == limit:
        return holding
    from rapidfuzz import fuzz, process  # imported late: most bots rarely need it, and it takes three MiB

    alike = process.extract(
        word, names, scorer=fuzz.ratio, score_cutoff=ALIKE if "/" in word else ALIKE_ALONE, limit=limit
    )
    close = [name for name, score, _index in alike if score >= alike[0][1] - NEAR_THE_BEST]
    return list(dict.fromkeys([*holding, *close]))[:limit]
