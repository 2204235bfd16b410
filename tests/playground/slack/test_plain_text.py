"""Messages as plain text."""

from __future__ import annotations

from typing import Any

import pytest

from playground.slack.model import Message, Version
from playground.slack.plain_text import Button, as_text, buttons

NAMES = {"U0ADA": "ada", "U0BOB": "bob", "U0BOT": "codeship"}
Block = dict[str, Any]


def message(text: str = "", blocks: list[Block] | None = None, **more: Any) -> Message:
    version = Version(1, 0.0, "typed", text, tuple(blocks or ()))
    return Message("1.000001", "C0BUILDS", "U0BOT", (version,), **more)


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def button(text: str, **more: Any) -> Block:
    return {"type": "button", "text": plain(text), "action_id": text.lower(), **more}


def rich(kind: str, *elements: Block, **more: Any) -> Block:
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(elements), **more}]}


def said(text: str, **style: bool) -> Block:
    return {"type": "text", "text": text} | ({"style": style} if style else {})


def item(text: str) -> Block:
    return {"type": "rich_text_section", "elements": [said(text)]}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("hello", "hello"),
        ("<@U0ADA> and <@U0NEW|new>", "@ada and @new"),
        ("<#C1|builds> <!here> <!subteam^S1|@team>", "#builds @here @team"),
        ("<https://x.io|acme/web> failed", "acme/web failed"),
        ("<https://x.io>", "https://x.io"),
        ("<!date^1392734382^{date}|noon>", "noon"),
        ("a &lt;b&gt; &amp;amp;", "a <b> &amp;"),
        ("*bold* `code` :x:", "*bold* `code` :x:"),
        ("\x1b[31mred\x07 \u202eback", "\ufffd[31mred\ufffd \ufffdback"),
        ("", ""),
    ],
)
def test_markup_is_rendered_as_people_see_it(text: str, line: str) -> None:
    assert as_text(message(text), NAMES) == [line]


def test_targets_of_links_are_shown_on_request() -> None:
    blocks: list[Block] = [
        {"type": "section", "text": mrkdwn("<https://x.io|web> <https://y.io>")},
        rich("rich_text_section", {"type": "link", "url": "https://z.io", "text": "build"}),
        {"type": "actions", "elements": [button("Open", url="https://o.io")]},
    ]
    assert as_text(message("", blocks), NAMES) == ["web https://y.io", "  build", "  [Open]"]
    assert as_text(message("", blocks), NAMES, links=True) == [
        "web <https://x.io> https://y.io",
        "  build <https://z.io>",
        "  [Open] <https://o.io>",
    ]


def test_the_first_line_is_not_indented_and_later_ones_are() -> None:
    blocks: list[Block] = [
        {"type": "section", "text": mrkdwn(":x: *acme/web* · main · failed after 4 min 07 s")},
        {"type": "context", "elements": [mrkdwn("4f2c1e9 “Fix login” by ada")]},
        {"type": "actions", "elements": [button("Restart"), button("Open build")]},
    ]
    assert as_text(message("said otherwise", blocks), NAMES) == [
        ":x: *acme/web* · main · failed after 4 min 07 s",
        "  4f2c1e9 “Fix login” by ada",
        "  [Restart] [Open build]",
    ]


@pytest.mark.parametrize(
    ("block", "lines"),
    [
        ({"type": "header", "text": plain("Builds")}, ["*Builds*"]),
        ({"type": "divider"}, ["────────"]),
        ({"type": "section", "text": plain("<@U0ADA> *x*")}, ["<@U0ADA> *x*"]),
        ({"type": "section", "text": mrkdwn("a\n\nb")}, ["a", "", "  b"]),
        ({"type": "section", "fields": [mrkdwn("a"), mrkdwn("b")]}, ["a", "  b"]),
        ({"type": "section", "text": mrkdwn("a"), "accessory": button("Go")}, ["a", "  [Go]"]),
        (
            {"type": "context", "elements": [mrkdwn("a"), {"type": "image", "alt_text": "face", "image_url": "u"}]},
            ["a  (image: face)"],
        ),
        ({"type": "markdown", "text": "# a\nb"}, ["# a", "  b"]),
        ({"type": "table", "rows": [[{"type": "raw_text", "text": t} for t in "ab"]]}, ["a | b"]),
        ({"type": "data_visualization", "title": "Times"}, ["(data_visualization: Times)"]),
        ({"type": "container", "title": plain("Jobs")}, ["(container: Jobs)"]),
        ({"type": "novelty"}, ["(novelty)"]),
        (
            {
                "type": "actions",
                "elements": [
                    {"type": "static_select", "placeholder": plain("Choose a branch"), "options": []},
                    {"type": "overflow", "options": []},
                    {"type": "overflow", "options": [{"text": plain("Edit")}, {"text": plain("Delete")}]},
                ],
            },
            ["[Choose a branch ▾] [⋯] [⋯ Edit | Delete]"],
        ),
    ],
)
def test_every_kind_of_block_has_its_lines(block: Block, lines: list[str]) -> None:
    assert as_text(message("", [block]), NAMES) == lines


@pytest.mark.parametrize(
    ("block", "lines"),
    [
        (
            rich(
                "rich_text_section", said("a "), said("bold ", bold=True), said("x", code=True), said("i", italic=True)
            ),
            ["a *bold* `x`_i_"],
        ),
        (
            rich(
                "rich_text_section",
                {"type": "user", "user_id": "U0ADA"},
                {"type": "emoji", "name": "x"},
                {"type": "date", "timestamp": 1, "format": "{ago}", "fallback": "at noon"},
                {"type": "broadcast", "range": "here"},
                {"type": "link", "url": "https://x.io", "text": "web", "style": {"bold": True}},
            ),
            ["@ada:x:at noon@here*web*"],
        ),
        (rich("rich_text_section", said("a\nb\n")), ["a", "  b"]),
        (rich("rich_text_list", item("a"), item("b\nc"), style="bullet"), ["• a", "  • b", "    c"]),
        (rich("rich_text_list", item("a"), style="ordered", indent=1, offset=2), ["  3. a"]),
        (rich("rich_text_quote", said("a\nb")), ["> a", "  > b"]),
        (rich("rich_text_preformatted", said("a\n b")), ["```", "  a", "   b", "  ```"]),
        (rich("rich_text_section", {"type": "novelty"}), ["(novelty)"]),
    ],
)
def test_rich_text_is_rendered_completely(block: Block, lines: list[str]) -> None:
    assert as_text(message("", [block]), NAMES) == lines


def test_ephemeral_messages_and_replies_in_a_thread_are_marked() -> None:
    assert as_text(message("psst", ephemeral_to="U0ADA"), NAMES) == ["(only ada sees this) psst"]
    assert as_text(message("yes", thread_ts="0.000001"), NAMES) == ["↳ yes"]
    assert as_text(message("root", thread_ts="1.000001"), NAMES) == ["root"]


def test_buttons_are_listed_with_what_they_do() -> None:
    dialog = {"title": plain("Sure?"), "text": plain("x"), "confirm": plain("Yes"), "deny": plain("No")}
    drawn = message(
        "",
        [
            {"type": "section", "block_id": "s", "text": mrkdwn("a"), "accessory": button("Go", value="v")},
            {
                "type": "actions",
                "block_id": "a",
                "elements": [button("Stop", confirm=dialog), button("Open", url="https://x.io")],
            },
        ],
    )
    assert buttons(drawn) == [
        Button("Go", "go", "s", value="v"),
        Button("Stop", "stop", "a", confirm=dialog),
        Button("Open", "open", "a", url="https://x.io"),
    ]


def test_a_button_for_some_people_is_shown_to_them_only() -> None:
    drawn = message(
        "", [{"type": "actions", "elements": [button("Mine", visible_to_user_ids=["U0ADA"]), button("All")]}]
    )
    assert as_text(drawn, NAMES, viewer_id="U0ADA") == ["[Mine] [All]"]
    assert as_text(drawn, NAMES, viewer_id="U0BOB") == ["[All]"]
    assert [found.text for found in buttons(drawn, "U0BOB")] == ["All"]
