"""No path mentions a person, or writes to one, whose account is not linked: a simulated day, as Slack is sent it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from bot.core.model.builds import Actor
from bot.core.model.notifications.deliveries import Delivery, Digest
from bot.core.model.people.authors import CommitAuthor
from bot.core.model.people.settings import NotifySettings, Scope, Way
from bot.slack.outgoing.announcer import SlackAnnouncer
from tests.core.notifications.day import Day, DaySlack, faults
from tests.slack.messages.drawn import parts
from tests.slack.messages.one_service import HOW

ADA, BOB, CAT, DAN = (Actor(f"U0{name}") for name in ("ADA", "BOB", "CAT", "DAN"))
LINKED = {"ada-l": ADA, "bob": BOB, "cat": CAT}
DAN_MAIL = CommitAuthor("dan-d", "dan@acme.example")
AUTHORS = [
    *(CommitAuthor(login) for login in (*LINKED, "bob", "ada-l", "bob", "ada-l")),
    DAN_MAIL,
    DAN_MAIL,
    None,
    CommitAuthor("eve"),
    CommitAuthor("ada"),
    CommitAuthor("<@U0EVE>", "U0EVE@acme.example"),
    CommitAuthor("dependabot[bot]", "dan@acme.example"),
    CommitAuthor("web-flow", "dan@acme.example"),
    CommitAuthor(None, "ada-l@users.noreply.github.com"),
]
_MENTION = re.compile(r"<@(\w+)")


class DrawnSlack(DaySlack):
    """Also draws each message as it is sent to Slack. `bodies` are the arguments of the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[tuple[Delivery | None, Mapping[str, Any]]] = []
        self._drawn: Delivery | None = None
        self._announcer = SlackAnnouncer(self, lambda: HOW, lambda _channel, _ts: "https://acme.slack.com/p1")  # type: ignore[arg-type]

    def call(self, _method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        self.bodies.append((self._drawn, body))
        return {}

    def post(self, delivery: Delivery) -> str | None:
        self._drawn = delivery
        self._announcer.post(delivery)
        return super().post(delivery)

    def change(self, delivery: Delivery, head_ts: str) -> None:
        self._drawn = delivery
        self._announcer.change(delivery, head_ts)
        super().change(delivery, head_ts)

    def reply(self, delivery: Delivery, head_ts: str, *, broadcast: bool) -> str | None:
        self._drawn = delivery
        self._announcer.reply(delivery, head_ts, broadcast=broadcast)
        return super().reply(delivery, head_ts, broadcast=broadcast)

    def post_digest(self, digest: Digest) -> str | None:
        self._drawn = None
        self._announcer.post_digest(digest)
        return super().post_digest(digest)

    def change_digest(self, digest: Digest, ts: str) -> None:
        self._drawn = None
        self._announcer.change_digest(digest, ts)
        super().change_digest(digest, ts)

    def tell_author(self, delivery: Delivery, channel: str | None, ts: str | None) -> str | None:
        self._drawn = delivery
        self._announcer.tell_author(delivery, channel, ts)
        return super().tell_author(delivery, channel, ts)

    def ask_author(self, delivery: Delivery, head_ts: str, login: str) -> None:
        self._drawn = delivery
        self._announcer.ask_author(delivery, head_ts, login)
        super().ask_author(delivery, head_ts, login)


def persons_in(body: Mapping[str, Any]) -> set[str]:
    """Those whom Slack would show by their name: rich text names only by an element of its own, mrkdwn by `<@…>`."""
    found = set(_MENTION.findall(body["text"]))
    for part in parts(body["blocks"]):
        if part.get("type") == "user":
            found.add(part["user_id"])
        elif part.get("type") == "mrkdwn":
            found |= set(_MENTION.findall(part["text"]))
    return found


def author_of(delivery: Delivery) -> Actor | None:
    """The person that the links and the address say, worked out here once more."""
    period = delivery.transition.period
    made_by = period.broken_by.made_by if period else None
    if made_by == DAN_MAIL:
        return DAN
    return LINKED.get(made_by.login or "") if made_by else None


def a_day(seed: int, projects: int, builds: int) -> DrawnSlack:
    slack = DrawnSlack()
    day = Day(seed, projects, slack=slack, authors=AUTHORS)
    people = day.hearing.store.people
    for login, person in LINKED.items():
        people.claim(login, person, day.hearing.clock.now())
    people.set(BOB, NotifySettings(Scope.MINE, Way.MENTION))
    people.set(CAT, NotifySettings(Scope.OFF, Way.MENTION))
    day.hearing.emails["dan@acme.example"] = DAN
    day.goes_on(builds)
    day.ends_calmly()
    assert faults(day) == ([], [])
    assert day.hearing.jobs.errors == []
    assert all(day.hearing.store.outbox.queue(person.id) == [] for person in (ADA, BOB, CAT, DAN))
    day.hearing.close()
    return slack


def keeps_to_the_links(slack: DrawnSlack) -> Counter[str]:
    """How often each person was written to or named."""
    found: Counter[str] = Counter()
    for delivery, body in slack.bodies:
        named = persons_in(body)
        if body["channel"].startswith("U"):
            assert body["channel"] in (ADA.id, DAN.id)
            assert delivery is None or author_of(delivery) == Actor(body["channel"])
            assert named == set()
            found[body["channel"]] += 1
        elif named:
            assert named == {BOB.id}
            assert delivery is None or author_of(delivery) == BOB
            found[BOB.id] += 1
    return found


@pytest.mark.slow
def test_a_long_day_names_only_the_linked_authors_and_each_of_them():
    found = keeps_to_the_links(a_day(seed=5, projects=40, builds=600))
    assert set(found) == {ADA.id, BOB.id, DAN.id}
