"""The life of response URLs: five uses in thirty minutes. What a use does to a message is not decided here."""

from __future__ import annotations

from dataclasses import dataclass

USES = 5
LIFE_S = 30 * 60


@dataclass(frozen=True, slots=True)
class ResponseUrl:
    """`original_ts` is the message whose button was pressed; a command has none."""

    path: str
    kind: str
    channel_id: str
    user_id: str
    issued_at: float
    original_ts: str | None = None


class ResponseUrls:
    """Not safe for threads by itself: the workspace holds its lock around every call."""

    def __init__(self, team_id: str) -> None:
        self._team_id = team_id
        self._issued: dict[str, ResponseUrl] = {}
        self._uses: dict[str, int] = {}

    def issue(
        self, kind: str, channel_id: str, user_id: str, now: float, original_ts: str | None = None
    ) -> ResponseUrl:
        number = len(self._issued) + 1
        path = f"/{kind}/{self._team_id}/{number}/secret{number:06d}"
        self._issued[path] = url = ResponseUrl(path, kind, channel_id, user_id, now, original_ts)
        self._uses[path] = 0
        return url

    def use(self, path: str, now: float) -> ResponseUrl | str:
        """The URL, one use poorer; or Slack's word for why not. A refused message costs a use too: Slack does not
        say, and this is the stricter reading."""
        url = self._issued.get(path)
        if url is None:
            return "no_service"
        if now - url.issued_at > LIFE_S:
            return "expired_url"
        if self._uses[path] >= USES:
            return "used_url"
        self._uses[path] += 1
        return url

    def uses(self, path: str) -> int:
        return self._uses.get(path, 0)
