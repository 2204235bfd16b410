"""One event, one line, in a form that people and programs can rely on."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from bot import logs
from tests.log_lines import KEY, configured, in_both_forms, process_put_back


@pytest.fixture(autouse=True)
def _as_it_was():
    with process_put_back():
        yield


def without_time(stream: io.StringIO) -> str:
    (line,) = stream.getvalue().splitlines()
    return line.split(" ", 1)[1]


@in_both_forms
@pytest.mark.parametrize("sign", ["\n", "\r", "\r\n", "\x0b", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\x00"])
def test_no_character_in_an_event_breaks_its_line_or_reaches_a_terminal_raw(sign, form):
    stream = configured(form)
    structlog.get_logger().info(f"a{sign}b", message=f"c{sign}d")
    logging.getLogger("x").info("e%sf", sign)
    assert len(stream.getvalue().splitlines()) == 2
    assert stream.getvalue().replace("\n", "").isprintable()


def test_a_text_line_is_time_level_event_and_fields():
    stream = configured("text")
    structlog.get_logger("bot.slack").info("restart asked", repo="acme/web", branch="a b", build=None, ref="k7m2xq")
    assert without_time(stream) == (
        'info     restart asked logger=bot.slack repo=acme/web branch="a b" build=None ref=k7m2xq'
    )


def test_a_field_cannot_pass_for_two():
    stream = configured("text")
    structlog.get_logger("bot").info("asked", branch="main actor=ada", message='say "hi"', empty="")
    assert without_time(stream) == ('info     asked logger=bot branch="main actor=ada" message="say \\"hi\\"" empty=""')


def test_a_json_line_holds_the_same_with_a_traceback_in_one_field_at_its_end():
    stream = configured("json")
    try:
        raise ValueError("no")
    except ValueError:
        structlog.get_logger("bot.slack").exception("restart failed", repo="acme/web")
    line = json.loads(stream.getvalue())
    assert list(line) == ["time", "level", "event", "logger", "repo", "exception"]
    assert line["level"] == "error"
    assert line["time"].endswith("Z")
    assert line["exception"].splitlines()[-1] == "ValueError: no"


def test_other_libraries_log_in_the_same_form():
    stream = configured("text")
    logging.getLogger("waitress").warning("Task queue depth is %d", 3)
    assert without_time(stream) == "warning  Task queue depth is 3 logger=waitress"


def test_bound_context_is_in_every_line():
    stream = configured("json")
    with structlog.contextvars.bound_contextvars(ref="k7m2xq"):
        structlog.get_logger().info("asked")
    assert json.loads(stream.getvalue())["ref"] == "k7m2xq"


def test_what_is_below_the_level_is_not_logged():
    stream = configured("json", "WARNING")
    structlog.get_logger().info("asked")
    logging.getLogger("urllib3").info("asked")
    assert stream.getvalue() == ""


def test_alembic_names_its_plugins_only_at_debug_level():
    plugins = logging.getLogger("alembic.runtime.plugins")
    stream = configured("text", "DEBUG")
    plugins.info("setup plugin")
    assert "setup plugin" in stream.getvalue()
    stream = configured("text", "INFO")
    plugins.info("setup plugin")
    assert stream.getvalue() == ""


def test_a_logger_made_and_used_before_the_configuration_follows_it():
    log = structlog.get_logger("bot.early")
    before = configured("text")
    log.info("asked")
    after = configured("json")
    log.info("asked again")
    assert json.loads(after.getvalue())["logger"] == "bot.early"
    assert before.getvalue().count("\n") == 1


def test_a_second_configuration_replaces_the_first():
    first, second = configured("json"), configured("json")
    structlog.get_logger().info("asked")
    assert (first.getvalue(), second.getvalue().count("\n")) == ("", 1)


class Undrawable:
    def __repr__(self) -> str:
        raise ValueError(KEY)


@in_both_forms
def test_an_event_that_cannot_be_formatted_says_where_it_came_from_and_raises_nothing(form, capsys):
    stream = configured(form)
    structlog.get_logger("bot.test").info("asked", by=Undrawable())
    assert "a log event could not be drawn" in stream.getvalue()
    assert "bot.test" in stream.getvalue()
    assert capsys.readouterr().err == ""


def test_a_stream_that_is_gone_is_passed_over_in_silence(capsys):
    configured("json").close()
    logging.getLogger("x").info("asked %s", KEY)
    assert capsys.readouterr().err == ""


def test_an_exception_that_ends_the_process_is_logged_in_one_line_and_never_printed():
    program = (
        f"import logging, threading; from bot import logs\n"
        f"logs.configure('INFO', 'json', [{KEY!r}])\n"
        f"class Dying:\n def __del__(self): raise ValueError({KEY!r})\n"
        f"Dying()\n"
        f"t = threading.Thread(target=lambda: int({KEY!r}, 2)); t.start(); t.join()\n"
        f"raise RuntimeError('with ' + {KEY!r})\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=Path(__file__).parent.parent, check=False
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert KEY not in ended.stderr
    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert [line["event"] for line in lines] == [
        "unraisable_exception",
        "unhandled_exception_in_thread",
        "unhandled_exception",
    ]
    assert lines[-1]["exception"].endswith("RuntimeError: with [hidden]")


def test_a_reference_is_six_characters_that_cannot_be_mistaken_for_one_another():
    references = {logs.reference() for _ in range(1000)}
    assert len(references) == 1000
    assert {len(reference) for reference in references} == {6}
    assert set("".join(references)).isdisjoint("01loiIO")
