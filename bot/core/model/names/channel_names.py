"""What short words mean in one channel: the repository without a name, and aliases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from bot.core.model.builds import Actor

ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,49}", re.ASCII)
"""An alias, in any case. It has no slash, so it is no `org/name`."""

MAX_ALIASES = 50
"""Of one channel."""


@dataclass(frozen=True, slots=True)
class ChannelName:
    """In `channel`, `alias` (lower case) means `repo`, as `acme/web@github`, and `branch` if one is set.

    The empty alias is the channel's default, for commands without a repository.
    """

    channel: str
    alias: str
    repo: str
    branch: str | None
    set_by: Actor
    set_at: datetime
