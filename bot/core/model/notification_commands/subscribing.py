"""How the words of `subscribe` and `unsubscribe` are read: in any order, with a correction if one is wrong. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches

from bot.core.model.command_values import Verb, Word
from bot.core.model.errors import NotUnderstood
from bot.core.model.names.slack_ids import GROUP_ID, USER_ID
from bot.core.model.notification_commands.spelling import pattern_in, texts_of
from bot.core.model.notification_commands.values import (
    ALL,
    BRANCH,
    FLAKY,
    MENTION,
    ON,
    OPTIONS,
    REMIND,
    TO,
    WORKFLOW,
    PauseCommand,
    ShowSubscriptions,
    Subscribe,
    Unsubscribe,
)
from bot.core.model.notifications.subscriptions import DEFAULT_EVENTS, MAX_MENTIONS, Event, Filters, Replies

_KEYS = {
    BRANCH: BRANCH,
    "branches": BRANCH,
    ON: ON,
    "event": ON,
    "events": ON,
    WORKFLOW: WORKFLOW,
    "workflows": WORKFLOW,
    FLAKY: FLAKY,
    REMIND: REMIND,
    MENTION: MENTION,
    "mentions": MENTION,
    TO: TO,
}
_EXAMPLES = {
    BRANCH: "branch:main",
    ON: "on:broke,fixed",
    WORKFLOW: "workflow:ci",
    MENTION: "mention:@group",
    TO: "to:thread",
    FLAKY: "flaky:quiet",
    REMIND: "remind:off",
}
_FILTERS = ", ".join(f"{key}:" for key in _EXAMPLES)
_EVERYONE = frozenset({"here", "channel", "everyone"})
_NOT_A_MENTION = "Only people and user groups are mentioned."
_KEYED = re.compile(r"(?P<key>[A-Za-z]+):(?!//)(?P<value>.*)", re.DOTALL)
_STILL_EVERY = re.compile(r"still:([2-9]|[1-9]\d{1,2})", re.ASCII | re.IGNORECASE)
"""Every second commit at most; every single one is what `failed` says."""
_NUMBER = re.compile(r"#(\d{1,9})", re.ASCII)


def subscribe_command(verb: Verb, words: Sequence[Word]) -> Subscribe:
    """Raises NotUnderstood."""
    texts = texts_of(words)
    number, texts = _without_number(texts, verb)
    repositories: list[str] = []
    lists: dict[str, list[str]] = {key: [] for key in _EXAMPLES}
    for at_word, text in enumerate(texts):

        def corrected(by: str, at: int = at_word) -> str:
            changed = () if number is None else (f"#{number}",)
            return " ".join([verb, *changed, *texts[:at], by, *texts[at + 1 :]])

        keyed = _KEYED.fullmatch(text)
        if keyed is not None:
            key = _key(keyed["key"], keyed["value"], verb, corrected)
            values = [value for value in keyed["value"].split(",") if value]
            if key in OPTIONS and [value.lower() for value in values] != [OPTIONS[key]]:
                option = f"{key}:{OPTIONS[key]}"
                raise NotUnderstood(f"Unknown word in “{text}”. There is {option}.", verb, instead=corrected(option))
            if not values:
                raise NotUnderstood(f"{key}: names nothing.", verb, instead=corrected(_EXAMPLES[key]))
            lists[key] += values
            if key == ON:
                _check_events(values, verb, lambda events: corrected(f"{ON}:{events}"))
            if key == TO:
                _check_replies(values, verb, lambda replies: corrected(f"{TO}:{replies}"))
        else:
            if repositories and not _may_be_repository(text):
                raise _no_repository(text, verb, corrected)
            repositories.append(text)
    if not repositories:
        raise NotUnderstood("Which repository?", verb)
    service, names = _without_service(repositories, verb)
    return Subscribe(
        Filters(
            pattern_in(names, verb),
            service,
            pattern_in(lists[BRANCH], verb),
            _events(lists[ON]),
            pattern_in(lists[WORKFLOW], verb, is_workflow=True),
            still_every(lists[ON]),
            _mentions(lists[MENTION], verb),
            Replies(lists[TO][-1].lower()) if lists[TO] else None,
            flaky_quiet=bool(lists[FLAKY]),
            remind_off=bool(lists[REMIND]),
        ),
        number,
    )


def unsubscribe_command(verb: Verb, words: Sequence[Word]) -> Unsubscribe:
    """Raises NotUnderstood."""
    texts = texts_of(words)
    if not texts:
        raise NotUnderstood("Which repository?", verb)
    if [text.lower() for text in texts] == [ALL]:
        return Unsubscribe(everything=True)
    keyed = next((text for text in texts if _KEYED.fullmatch(text)), None)
    if keyed is not None:
        rest = " ".join(text for text in texts if not _KEYED.fullmatch(text))
        instead = f"{verb} {rest}" if rest else None
        raise NotUnderstood(f"Subscriptions are removed whole, without “{keyed}”.", verb, instead=instead)
    numbers = [int(found[1]) for found in map(_NUMBER.fullmatch, texts) if found]
    names = [text for text in texts if not _NUMBER.fullmatch(text)]
    return Unsubscribe(tuple(dict.fromkeys(names)), tuple(dict.fromkeys(numbers)))


def pause_command(verb: Verb, words: Sequence[Word]) -> PauseCommand:
    """Raises NotUnderstood."""
    texts = texts_of(words)
    numbers = [int(found[1]) for found in map(_NUMBER.fullmatch, texts) if found]
    if not texts or len(numbers) < len(texts):
        why = "Which subscription? Each has a number, such as #1."
        raise NotUnderstood(why, verb, instead=Verb.SUBSCRIPTIONS.value)
    return PauseCommand(verb, tuple(dict.fromkeys(numbers)))


def show_subscriptions_command(verb: Verb, words: Sequence[Word]) -> ShowSubscriptions:
    """Raises NotUnderstood."""
    if words:
        raise NotUnderstood("The list of subscriptions takes no more words.", verb, instead=verb.value)
    return ShowSubscriptions()


def _without_number(texts: Sequence[str], verb: Verb) -> tuple[int | None, list[str]]:
    """The number of the subscription to change, and the other texts. Raises NotUnderstood if there are several."""
    numbers = dict.fromkeys(int(found[1]) for found in map(_NUMBER.fullmatch, texts) if found)
    if len(numbers) > 1:
        raise NotUnderstood("One subscription is changed at a time.", verb)
    return next(iter(numbers), None), [text for text in texts if not _NUMBER.fullmatch(text)]


def _key(typed: str, value: str, verb: Verb, corrected: Callable[[str], str]) -> str:
    key = _KEYS.get(typed.lower())
    if key is not None:
        return key
    nearest = get_close_matches(typed.lower(), _KEYS, n=1, cutoff=0.5)
    instead = corrected(f"{_KEYS[nearest[0]]}:{value}") if nearest else None
    raise NotUnderstood(f"Unknown filter “{typed}:”. The filters are {_FILTERS}.", verb, instead=instead)


def _check_events(values: Sequence[str], verb: Verb, corrected: Callable[[str], str]) -> None:
    known = [ALL, *Event]
    for number, value in enumerate(values):
        if value.lower() in known or _STILL_EVERY.fullmatch(value):
            continue
        nearest = get_close_matches(value.lower(), known, n=1, cutoff=0.5)
        instead = corrected(",".join([*values[:number], nearest[0], *values[number + 1 :]])) if nearest else None
        raise NotUnderstood(f"Unknown event “{value}”. The events are {', '.join(known)}.", verb, instead=instead)


def _check_replies(values: Sequence[str], verb: Verb, corrected: Callable[[str], str]) -> None:
    known = [*Replies]
    for value in values:
        if value.lower() not in known:
            nearest = get_close_matches(value.lower(), known, n=1, cutoff=0.5)
            instead = corrected(nearest[0]) if nearest else None
            why = f"Unknown place “{value}”. Replies go to:thread, or to:channel, too."
            raise NotUnderstood(why, verb, instead=instead)


def _mentions(values: Sequence[str], verb: Verb) -> tuple[str, ...]:
    """The ids in `@U…` and `@S…`. Raises NotUnderstood for a name, which does not say who is meant."""
    ids = [value.removeprefix("@") for value in values]
    for value, id_ in zip(values, ids, strict=True):
        if USER_ID.fullmatch(id_) is None and GROUP_ID.fullmatch(id_) is None:
            why = f"A typed command doesn’t say who “{value}” is. Send the same words in a message to the bot instead."
            raise NotUnderstood(_NOT_A_MENTION if id_.lower() in _EVERYONE else why, verb)
    if len(set(ids)) > MAX_MENTIONS:
        raise NotUnderstood(f"A message mentions {MAX_MENTIONS} people and groups at most.", verb)
    return tuple(dict.fromkeys(ids))


def _events(values: Sequence[str]) -> frozenset[Event]:
    words = [value.lower().partition(":")[0] for value in values]
    if ALL in words:
        return frozenset(Event)
    return frozenset(map(Event, words)) or DEFAULT_EVENTS


def still_every(values: Sequence[str]) -> int | None:
    """The number in `still:5`."""
    found = [match for match in map(_STILL_EVERY.fullmatch, values) if match]
    return int(found[-1][1]) if found else None


def _may_be_repository(text: str) -> bool:
    return "/" in text or "*" in text or text.startswith("!")


def _no_repository(text: str, verb: Verb, corrected: Callable[[str], str]) -> NotUnderstood:
    key = ON if text.lower() in [ALL, *Event] else BRANCH
    what = "an event" if key == ON else "a branch"
    why = f"“{text}” is not a repository (org/name). For {what}, put {key}: before it."
    return NotUnderstood(why, verb, instead=corrected(f"{key}:{text}"))


def _without_service(names: Sequence[str], verb: Verb) -> tuple[str | None, list[str]]:
    """The service after an `@`, and the names without it. Raises NotUnderstood if there are several."""
    services: list[str] = []
    bare: list[str] = []
    for text in names:
        name, at, service = text.rpartition("@")
        if at and name and service and "/" not in service and ":" not in name:
            services.append(service.lower())
            bare.append(name)
        else:
            bare.append(text)
    if len(set(services)) > 1:
        raise NotUnderstood("A subscription is for one CI service, or for all of them.", verb)
    return (services[0] if services else None), bare
