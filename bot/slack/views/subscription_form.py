"""The form behind a bare `subscribe` and [Change]: which builds a channel hears of. Pure.

What is filled in becomes the words of the command, so that form and command have one parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.model.command_values import Verb, Word
from bot.core.model.errors import NotUnderstood
from bot.core.model.notification_commands.subscribing import subscribe_command
from bot.core.model.notification_commands.values import (
    BRANCH,
    FLAKY,
    MENTION,
    ON,
    REMIND,
    TO,
    WORKFLOW,
    Subscribe,
    pattern_words,
    repository_words,
    words_of,
)
from bot.core.model.notifications.subscriptions import DEFAULT_EVENTS, Event, Filters, Replies, Subscription
from bot.slack.blocks.message import Block, plain
from bot.slack.blocks.rich_text import Line, join, line, mention_or_text, person
from bot.slack.incoming.text import words_of_command
from bot.slack.views.elements import Place, View, modal, number_in, option, read, small, state_in, text_in, written
from bot.slack.views.form import named

SUBSCRIPTION = "subscription"
"""The id of the view."""
_REPOS, _BRANCHES = f"{SUBSCRIPTION}:repos", f"{SUBSCRIPTION}:branches"
_EVENTS, _WORKFLOWS, _REPLIES = f"{SUBSCRIPTION}:on", f"{SUBSCRIPTION}:workflows", f"{SUBSCRIPTION}:to"
_MAX_TYPED, _MAX_KEPT, _MAX_NAME = 2_500, 300, 50
_KEPT = (MENTION, FLAKY, REMIND)
_USUAL = "usual"
"""The value of the option that is no word of the command."""
_SOME_NAME = Word.of("org/name")
"""Stands for the repositories while another field is read."""

EVENT_LABELS = {
    Event.BROKE: "A branch breaks",
    Event.FIXED: "It is fixed",
    Event.STILL: "It is still broken: reminders in the thread",
    Event.FAILED: "Each failed build",
    Event.PASSED: "Each passed build",
    Event.STARTED: "Each started build",
    Event.STOPPED: "Each cancelled build",
    Event.INFRA: "Infrastructure failures",
    Event.EARLY: "A job has failed and the workflow still runs (GitHub)",
}

REPLY_LABELS = {
    None: "The fix is shown in the channel, too",
    Replies.CHANNEL: "All are shown in the channel, too",
    Replies.THREAD: "None is shown in the channel",
}


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """What the form remembers. `number`: the subscription that it changes; None if it makes one.

    `kept` are words of the command for which the form has no field.
    """

    place: Place
    number: int | None = None
    kept: tuple[str, ...] = ()

    def metadata(self) -> str:
        return written(self.place, {"n": self.number, "k": " ".join(self.kept) or None})

    @classmethod
    def read(cls, metadata: object) -> SubscriptionState:
        """Raises ValueError for metadata that is not the form's."""
        place, fields = read(metadata)
        if place is None:
            raise ValueError("not the form's")
        return cls(place, number_in(fields, "n"), tuple((text_in(fields, "k", _MAX_KEPT) or "").split()))


@dataclass(frozen=True, slots=True)
class FilledSubscription:
    """The form as it was sent. `problems` by block id; without any there is a command."""

    command: Subscribe | None
    problems: Mapping[str, str]


def fits_form(changed: Subscription) -> bool:
    """Whether Slack's fields have room for it: what is cut would be lost."""
    return all(len(text) <= _MAX_TYPED for text in _texts(changed.filters).values())


def subscription_form(place: Place, changed: Subscription | None = None) -> View:
    """The form, empty or with what `changed` says now."""
    filters = changed.filters if changed is not None else None
    words = words_of(filters) if filters is not None else ()
    texts = _texts(filters) if filters is not None else {}
    kept = tuple(word for word in words if word.partition(":")[0] in _KEPT)
    blocks = [
        _text_field(
            _REPOS,
            "Repositories",
            texts.get(_REPOS, ""),
            placeholder="acme/web acme/api-* !acme/api-old",
            hint="* matches any characters, ! makes an exception. Later repositories are included.",
        ),
        _text_field(
            _BRANCHES,
            "Branches",
            texts.get(_BRANCHES, ""),
            placeholder="Default branch",
            hint="For example main release/*. A single * is every branch.",
            optional=True,
        ),
        _events_field(filters),
        _text_field(
            _WORKFLOWS,
            "Workflows",
            texts.get(_WORKFLOWS, ""),
            placeholder="All workflows",
            hint="GitHub only: names or files, with commas between them. For example ci, !nightly.",
            optional=True,
        ),
        _replies_field(filters),
        small(line("Notifications go to ", named(place.location), "."), _about(changed)),
    ]
    return modal(
        "Subscribe to builds" if changed is None else "Change subscription",
        blocks,
        callback_id=SUBSCRIPTION,
        metadata=SubscriptionState(place, changed.id if changed else None, kept).metadata(),
        submit="Subscribe" if changed is None else "Change",
        close="Cancel",
    )


def filled_subscription(values: Mapping[str, Any], state: SubscriptionState) -> FilledSubscription:
    """Reads the values of a form that was sent; they are untrusted."""
    said = {block: list(words) for block, words in _said(values)}
    problems = {}
    for block, words in said.items():
        try:
            subscribe_command(Verb.SUBSCRIBE, words if block == _REPOS else [_SOME_NAME, *words])
        except NotUnderstood as error:
            problems[block] = error.why
    if not said.get(_EVENTS):
        problems[_EVENTS] = "Choose at least one."
    kept = [Word.of(f"#{state.number}")] if state.number is not None else []
    kept += map(Word.of, state.kept)
    command = None
    if not problems:
        try:
            command = subscribe_command(Verb.SUBSCRIBE, [*kept, *(word for words in said.values() for word in words)])
        except NotUnderstood as error:
            problems[_REPOS] = error.why
    return FilledSubscription(command, problems)


def _texts(filters: Filters) -> Mapping[str, str]:
    """What the fields for text say, by block id."""
    return {
        _REPOS: " ".join(repository_words(filters)),
        _BRANCHES: " ".join(pattern_words(filters.branches)),
        _WORKFLOWS: ", ".join(pattern_words(filters.workflows)),
    }


def _said(values: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[Word]]]:
    """The words of the command that each field stands for, by block id."""
    yield _REPOS, words_of_command(_typed(values, _REPOS))
    branches = ",".join(re.split(r"[\s,]+", _typed(values, _BRANCHES).strip()))
    yield _BRANCHES, words_of_command(f"{BRANCH}:{branches}") if branches else ()
    chosen = state_in(values, _EVENTS).get("selected_options")
    options = [each.get("value") for each in chosen if isinstance(each, Mapping)] if isinstance(chosen, list) else []
    events = [str(value) for value in options]
    yield _EVENTS, [Word.of(f"{ON}:{','.join(events)}")] if events else ()
    # Not `words_of_command`: the name of a workflow may have blanks.
    workflows = [name.strip() for name in re.split(r"[,\n]", _typed(values, _WORKFLOWS))]
    yield _WORKFLOWS, [Word.of(f"{WORKFLOW}:{','.join(filter(None, workflows))}")] if any(workflows) else ()
    replies = state_in(values, _REPLIES).get("selected_option")
    to = replies.get("value") if isinstance(replies, Mapping) else None
    yield _REPLIES, [Word.of(f"{TO}:{to}")] if to not in (None, _USUAL) else ()


def _typed(values: Mapping[str, Any], block: str) -> str:
    value = state_in(values, block).get("value")
    return value[:_MAX_TYPED] if isinstance(value, str) else ""


def _text_field(block: str, label: str, initial: str, *, placeholder: str, hint: str, optional: bool = False) -> Block:
    element = {
        "type": "plain_text_input",
        "action_id": block,
        "max_length": _MAX_TYPED,
        "placeholder": plain(placeholder),
        **({"initial_value": initial} if initial else {}),
    }
    field = {"type": "input", "block_id": block, "label": plain(label), "hint": plain(hint), "element": element}
    return {**field, "optional": True} if optional else field


def _events_field(filters: Filters | None) -> Block:
    options = {event: _event_option(event, filters) for event in Event}
    chosen = filters.events if filters is not None else DEFAULT_EVENTS
    element = {
        "type": "checkboxes",
        "action_id": _EVENTS,
        "options": list(options.values()),
        "initial_options": [options[event] for event in Event if event in chosen],
    }
    return {"type": "input", "block_id": _EVENTS, "label": plain("Tell the channel when"), "element": element}


def _replies_field(filters: Filters | None) -> Block:
    options = {replies: option(label, replies or _USUAL) for replies, label in REPLY_LABELS.items()}
    element = {
        "type": "static_select",
        "action_id": _REPLIES,
        "options": list(options.values()),
        "initial_option": options[filters.replies if filters is not None else None],
    }
    return {"type": "input", "block_id": _REPLIES, "label": plain("Replies in the thread"), "element": element}


def _event_option(event: Event, filters: Filters | None) -> Block | None:
    """A number of its own for *still* stays as it is."""
    every = filters.still_every if filters is not None and event is Event.STILL else None
    if every is None:
        return option(EVENT_LABELS[event], event)
    return option(f"{EVENT_LABELS[event]}, after each {every} failed commits", f"{event}:{every}")


def _about(changed: Subscription | None) -> Line:
    if changed is None or changed.maker is None:
        return ()
    ids = changed.filters.mentions
    mentions = line(" · mentions ", join(" ", *(mention_or_text(id_, _MAX_NAME) for id_ in ids))) if ids else ()
    return line(f"#{changed.id} made by ", person(changed.maker), mentions)
