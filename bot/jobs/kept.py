"""What stands in the database for a key, and for an error that a step or a job raised."""

from __future__ import annotations

import hashlib
import pickle

LONGEST_KEY = 200


class Failed(Exception):
    """Ends a job that raised. Its error has been told; `str()` says what kind it was, and no more."""


class StepFailed(Exception):
    """In place of an error that would not have come back as it was. `str()` tells of it."""


def id_of(key: str) -> str:
    """As it is where it is short and plain; else its hash, so that any key can be stored, and costs no more."""
    plain = 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable() and key.strip() == key
    if plain and not key.startswith("#"):
        return key
    return f"#{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"


def as_kept(error: Exception) -> Exception:
    """The error itself, where it comes back the same; else what can be said of it.

    Exceptions of other people's libraries often cannot be made anew from their arguments, and fail when they are read.
    """
    try:
        back = pickle.loads(pickle.dumps(error))  # noqa: S301 - of our own making
        same = type(back) is type(error) and str(back) == str(error)
    except Exception:  # noqa: BLE001 - whatever its own methods raise
        same = False
    return error if same else StepFailed(_said(error))


def _said(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # noqa: BLE001 - an error that cannot even be shown
        return type(error).__name__
