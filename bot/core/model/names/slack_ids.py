"""Patterns of Slack's ids, which policies, buttons and settings use for people, groups and channels."""

from __future__ import annotations

import re

USER_ID = re.compile(r"[UW][A-Z0-9]{2,40}")
GROUP_ID = re.compile(r"S[A-Z0-9]{2,40}")
CHANNEL_ID = re.compile(r"[CG][A-Z0-9]{2,40}")
