"""Results of requests as a durable job stores them: all of them come back equal, those of another version do not."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ci.github.http.errors import PageTooLarge
from bot.core.model.builds import Build, Project
from bot.core.model.command_entries import Command
from bot.core.model.command_values import ShowHelp
from bot.core.model.errors import BotError, CIError, LastKnown, UserError
from bot.core.model.outcomes import HelpShown, Outcome
from bot.slack.stored_results import KINDS, Unreadable, from_json, to_json
from tests.examples import percent

VERSION_1 = Path(__file__).with_name("stored_results_v1.json")

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.sampled_from(["", "\ud83d", "\x00\\u0000", "é"]) | st.text(st.characters(), max_size=9),
    int: st.integers(),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    NoneType: st.none(),
    datetime: st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=14))])).map(
        lambda moment: moment.replace(fold=0)
    ),
}


def errors_under(kind: type[BotError]) -> list[type[BotError]]:
    return [one for child in kind.__subclasses__() for one in (child, *errors_under(child))]


OWN = [kind for kind in errors_under(BotError) if kind.__module__.startswith("bot.ci.")]
"""Errors of a CI service's own classes."""

ERRORS = [kind for kind in errors_under(BotError) if kind is not UserError and kind.__module__.startswith("bot.core.")]
"""Without `UserError`, which is only a base class."""


@cache
def values(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a type, with something in every field."""
    origin, args = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if hint is CIError:
        return st.one_of(*(errors_of(kind) for kind in ERRORS if issubclass(kind, CIError)))
    if origin in (Union, UnionType):
        return st.one_of(*(values(arg) for arg in args))
    if origin is Sequence or args[1:] == (...,):
        return st.lists(values(args[0]), max_size=1).map(tuple)
    if origin is frozenset:
        return st.frozensets(values(args[0]))
    if origin is tuple:
        return st.tuples(*(values(arg) for arg in args))
    if issubclass(hint, Enum):
        return st.sampled_from(hint)
    if issubclass(hint, BotError):
        return errors_of(hint)
    hints = get_type_hints(hint)
    return st.builds(hint, **{field.name: values(hints[field.name]) for field in fields(hint)})


@st.composite
def errors_of(draw: st.DrawFn, kind: type[BotError]) -> BotError:
    hints = get_type_hints(kind.__init__)
    error = kind(**{name: draw(values(type_)) for name, type_ in hints.items() if name != "return"})
    error.about = draw(values(Build | Project | None))
    if isinstance(error, CIError):
        error.last_known = draw(values(LastKnown | None))
    return error


def seen(value: Any) -> Any:
    """All that is in it, in a form that compares: errors compare by identity, and times without their zones."""
    if isinstance(value, BotError):
        return type(value), str(value), {name: seen(each) for name, each in vars(value).items() if each is not None}
    if is_dataclass(value):
        return type(value), {field.name: seen(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return tuple(seen(each) for each in value)
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return repr(value)


@pytest.mark.parametrize(
    "kinds", [get_args(Command), get_args(Outcome), ERRORS], ids=["commands", "outcomes", "errors"]
)
def test_every_command_outcome_and_error_has_a_tag_of_its_own(kinds: Sequence[type[Any]]) -> None:
    assert len(kinds) >= 5
    assert set(kinds) <= set(KINDS.values())
    assert len(set(KINDS.values())) == len(KINDS)


@pytest.mark.parametrize("kind", get_args(Command))
@percent(20)
@given(data=st.data())
def test_a_command_comes_back_equal(kind: type[Any], data: st.DataObject) -> None:
    command = data.draw(values(kind))
    assert from_json(json.loads(json.dumps(to_json(command, HelpShown())))) == (command, HelpShown())


@pytest.mark.parametrize("kind", [*get_args(Outcome), *ERRORS])
@percent(20)
@given(data=st.data())
def test_an_outcome_or_an_error_comes_back_as_it_was(kind: type[Any], data: st.DataObject) -> None:
    result = data.draw(values(kind))
    command, back = from_json(json.loads(json.dumps(to_json(None, result))))
    assert command is None
    assert seen(back) == seen(result)


@pytest.mark.parametrize("kind", OWN)
def test_an_error_of_a_ci_services_own_class_comes_back_as_the_cores(kind: type[CIError]) -> None:
    _command, back = from_json(json.loads(json.dumps(to_json(None, kind("GitHub", "answered 502")))))
    assert (type(back), str(back)) == (kind.__base__, str(kind("GitHub", "answered 502")))


def test_no_error_is_left_out() -> None:
    every = {kind for kind in errors_under(BotError) if kind.__module__.startswith("bot.")} - {UserError}
    assert every == {*ERRORS, *OWN}
    assert PageTooLarge in OWN


def test_what_version_1_stored_is_still_read_under_the_same_names() -> None:
    """A renamed class changes nothing here. A renamed field does: version 1 has to be read all the same."""
    stored = json.loads(VERSION_1.read_text())
    for each in stored:
        assert to_json(*from_json(each)) == each
    assert len(stored) == 5


def test_fields_that_a_version_next_to_this_one_adds_are_ignored() -> None:
    stored = to_json(ShowHelp(), HelpShown("restart"))
    stored["result"]["added"] = {"later": True}
    assert from_json({**stored, "added": 1}) == (ShowHelp(), HelpShown("restart"))


@pytest.mark.parametrize(
    "changed",
    [
        {"v": 2},
        {"v": None},
        {"result": {"kind": "of tomorrow"}},
        {"result": {}},
        {"result": {"kind": "restarted"}},
        {"result": {"kind": "help shown", "topic": 7}},
        {"result": {"kind": "not allowed", "about": None}},
        {"command": {"kind": "of tomorrow"}},
    ],
)
def test_a_result_that_this_version_cannot_read_says_so(changed: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match=r"^a result (of version|is stored)"):
        from_json({**to_json(None, HelpShown()), **changed})


def test_a_class_without_a_tag_is_not_stored() -> None:
    class OfTomorrow(UserError):
        pass

    with pytest.raises(TypeError, match="OfTomorrow has no tag to be stored under"):
        to_json(None, OfTomorrow())


RACE = """
import json, sys, threading
from bot.slack.stored_results import from_json
from tests.examples import percent

samples = json.load(sys.stdin)
sys.setswitchinterval(1e-6)
start = threading.Barrier(8)


def read():
    start.wait()
    for sample in samples:
        from_json(sample)


threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.slow
def test_threads_that_read_results_for_the_first_time_at_once_do_not_crash_the_process():
    """Two threads that meet a class for the first time at once end the process inside msgspec 0.22."""
    with VERSION_1.open("rb") as samples:
        ended = subprocess.run(
            [sys.executable, "-c", RACE], stdin=samples, capture_output=True, timeout=60, check=False
        )
    assert (ended.returncode, ended.stderr) == (0, b"")
