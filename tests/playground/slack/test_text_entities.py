"""How Slack rewrites typed text."""

from __future__ import annotations

import pytest

from playground.slack.text_entities import rewritten

PEOPLE = {"codeship": "U0BOT", "ada": "U0ADA"}
CHANNELS = {"builds": "C0BUILDS"}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("@codeship status", "<@U0BOT> status"),
        ("@codeship: help, @ada", "<@U0BOT>: help, <@U0ADA>"),
        ("@codeshipper help", "@codeshipper help"),
        ("in #builds @here", "in <#C0BUILDS|builds> <!here>"),
        ("issue #12 & <b>", "issue #12 &amp; &lt;b&gt;"),
        ("https://x.io/a?b=1&c=2.", "<https://x.io/a?b=1&amp;c=2>."),
        ("(see x.io)", "(see <http://x.io|x.io>)"),
        ("acme/web.io", "acme/<http://web.io|web.io>"),
        ("release/1.2.io", "release/<http://1.2.io|1.2.io>"),
        ("github.com/acme/web", "<http://github.com/acme/web|github.com/acme/web>"),
        ("1.2.3 and v1.0", "1.2.3 and v1.0"),
        ("ada@acme.org", "<mailto:ada@acme.org|ada@acme.org>"),
        ("`x.io & @ada` x.io", "`x.io &amp; @ada` <http://x.io|x.io>"),
        ("```\n@ada\n```", "```\n@ada\n```"),
        ("<@U0BOT> help", "&lt;@U0BOT&gt; help"),
        ("", ""),
    ],
)
def test_mentions_links_and_characters_are_rewritten_as_slack_does(typed: str, sent: str) -> None:
    assert rewritten(typed, PEOPLE, CHANNELS) == sent
