"""What Slack, phones and people do to words, and which spellings are tried."""

from __future__ import annotations

import re
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.incoming.text import MAX_CHARACTERS, MAX_SPELLINGS, MAX_WORDS, words_of_command, words_of_message

BOT = "U0BOT"


def exact(text: str) -> list[str]:
    return [word.exact for word in words_of_command(text)]


def spellings(text: str) -> list[str]:
    (word,) = words_of_command(text)
    return list(word.spellings)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" \n\t ", []),
        ("status acme/web main", ["status", "acme/web", "main"]),
        ("  Status\tACME/Web\nmain  ", ["Status", "ACME/Web", "main"]),
        ("a\u00a0b\u202fc\u3000d\u2003e\u2028f\u205fg\u1680h", list("abcdefgh")),
        ("status \u200b acme/web \ufeff\u00ad\u200e", ["status", "acme/web"]),
        ("```\nstatus acme/web main\n```", ["status", "acme/web", "main"]),
        # links
        ("<http://x.io|x.io>", ["x.io"]),
        ("<https://x.io/|X.io>", ["X.io"]),
        ("<https://github.com/acme/web>", ["https://github.com/acme/web"]),
        ("<https://github.com/acme/web|>", ["https://github.com/acme/web"]),
        ("<https://x.io/?a=1&amp;b=2>", ["https://x.io/?a=1&b=2"]),
        ("<mailto:a@b.io|a@b.io>", ["a@b.io"]),
        ("<mailto:a@b.io>", ["a@b.io"]),
        ("<tel:20261124|2026-1124>", ["2026-1124"]),
        ("release/<http://1.2.io|1.2.io>", ["release/1.2.io"]),
        ("<mailto:git@github.com|git@github.com>:acme/web.git", ["git@github.com:acme/web.git"]),
        ("status <https://github.com/acme/web|the web shop> main", ["status", "https://github.com/acme/web", "main"]),
        # a repository with its service: neither an e-mail address, nor a person of that name
        ("status acme/web@github main", ["status", "acme/web@github", "main"]),
        ("acme/<mailto:web@github|web@github>", ["acme/web@github"]),
        ("<mailto:acme/web@github|acme/web@github>", ["acme/web@github"]),
        ("<http://acme.io/web@github|acme.io/web@github>", ["acme.io/web@github"]),
        ("<http://acme.io|acme.io>/web@github", ["acme.io/web@github"]),
        ("acme/web<@U0GITHUB|github>", ["acme/web@github"]),
        ("acme/web<!subteam^S0GITHUB|@github>", ["acme/web@github"]),
        # mentions
        ("<#C123|general>", ["#general"]),
        ("<#C123|>", ["#C123"]),
        ("<#C123>", ["#C123"]),
        ("status acme/web <@U123> main", ["status", "acme/web", "main"]),
        ("status acme/web <@W123|bob>, <@U0BOT|codeship>!", ["status", "acme/web"]),
        ("feature/<@U123|bob>", ["feature/@bob"]),
        ("<!channel> <!here|here> <!everyone>", ["@channel", "@here", "@everyone"]),
        ("<!subteam^S123|@team> <!subteam^S123>", ["@team", "@subteam"]),
        ("<!date^1392734382^{date}|Feb>", ["Feb"]),
        ("&lt;!channel&gt;", ["!channel>"]),
        # entities, once
        ("feature/a&amp;b#c", ["feature/a&b#c"]),
        ("a&lt;b&gt;c", ["a<b>c"]),
        ("&amp;lt; &amp;amp;", ["&lt;", "&amp;"]),
        ("&copy; &#33;", ["&copy;", "&#33;"]),
        # what only looks like Slack's syntax
        ("feature/a&b#c", ["feature/a&b#c"]),
        ("a<b>c <x|y> a<b a>b <>", ["a<b>c", "<x|y>", "a<b", "a>b", "<>"]),
        ("<https:> <mailto:> <@> <!>", ["<https:>", "<mailto:>", "@", "@"]),
        ("#general @ada", ["#general", "@ada"]),
    ],
)
def test_the_exact_words_are_those_that_were_typed(text: str, words: list[str]) -> None:
    assert exact(text) == words


@pytest.mark.parametrize(
    ("text", "tried"),
    [
        ("main", ["main"]),
        ("Main", ["Main"]),
        ("feature/a&b#c", ["feature/a&b#c"]),
        ("don't", ["don't"]),
        ("v1.2", ["v1.2"]),
        ("#12", ["#12"]),
        ("(wip)fix", ["(wip)fix"]),
        # invisible
        ("ma\u200bin", ["ma\u200bin", "main"]),
        ("\ufeffmain\u00ad", ["\ufeffmain\u00ad", "main"]),
        ("\u2068main\u2069", ["\u2068main\u2069", "main"]),
        ("ma\x00in", ["ma\x00in", "main"]),
        ("fix\ufe0f", ["fix\ufe0f", "fix"]),
        # around a word
        ("`acme/web@github`", ["`acme/web@github`", "acme/web@github"]),
        ("“acme/web@github”.", ["“acme/web@github”.", '"acme/web@github".', "acme/web@github"]),
        ("main.", ["main.", "main"]),
        ("main?!", ["main?!", "main"]),
        ("main…", ["main…", "main...", "main"]),
        ("`main`", ["`main`", "main"]),
        ("```main```", ["```main```", "main"]),
        ("`main", ["`main", "main"]),
        ('"main".', ['"main".', "main"]),
        ('"main."', ['"main."', "main"]),
        ("“main”", ["“main”", '"main"', "main"]),
        ("‘main’", ["‘main’", "'main'", "main"]),
        ("„main“", ["„main“", '"main"', "main"]),
        ("«main»", ["«main»", "main"]),
        ("‹main›", ["‹main›", "main"]),
        ("*main*", ["*main*", "main"]),
        ("_main_", ["_main_", "main"]),
        ("~main~", ["~main~", "main"]),
        ("*_`main`_*,", ["*_`main`_*,", "main"]),
        ("_main", ["_main"]),
        ("*main", ["*main", "main"]),
        ("(main)", ["(main)", "main"]),
        ("(main", ["(main", "main"]),
        ("main).", ["main).", "main"]),
        ("f(x)", ["f(x)"]),
        ("((main)", ["((main)", "main"]),
        ("[main]", ["[main]", "main"]),
        ("&lt;acme/web&gt;", ["<acme/web>", "acme/web"]),
        # inside a word
        ("it’s", ["it’s", "it's"]),
        ("a“b", ["a“b", 'a"b']),
        ("fix\u2013it", ["fix\u2013it", "fix-it"]),
        ("a\u2010b\u2011c\u2012d\u2212e", ["a\u2010b\u2011c\u2012d\u2212e", "a-b-c-d-e"]),
        ("a—b", ["a—b", "a--b", "a-b"]),
        ("—all", ["—all", "--all", "-all"]),
        ("a…b", ["a…b", "a...b"]),
        ("“fix–it!”", ["“fix–it!”", '"fix-it!"', "fix-it"]),
        # nothing is left
        ("?", ["?"]),
        ("“”", ["“”"]),
        ("…", ["…"]),
        ("*", ["*"]),
        # a link with two meanings
        ("<https://github.com/acme/web|web>", ["web", "https://github.com/acme/web"]),
        (
            "<https://github.com/acme/web|web>.",
            ["web.", "web", "https://github.com/acme/web.", "https://github.com/acme/web"],
        ),
        (
            "“<https://x.io/a|a—b>”",
            ["“a—b”", '"a--b"', "a--b", "a-b", "“https://x.io/a”", "https://x.io/a"],
        ),
        ("a<\u200b!channel>", ["a<\u200b!channel>", "a!channel>"]),
    ],
)
def test_the_exact_word_is_tried_first_and_the_most_changed_last(text: str, tried: list[str]) -> None:
    assert spellings(text) == tried


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"<@{BOT}> status acme/web", ["status", "acme/web"]),
        (f"<@{BOT}|codeship> status acme/web", ["status", "acme/web"]),
        (f"hey <@{BOT}> status", ["status"]),
        (f"hey <@U123|ada>, ask <@{BOT}>: status <@U123>", ["status"]),
        (f"*<@{BOT}>* status", ["status"]),
        (f"<@{BOT}>,status", ["status"]),
        (f"<@{BOT}> : status", ["status"]),
        (f"thanks <@{BOT}>. <@{BOT}> status acme/web", ["status", "acme/web"]),
        (f"<@{BOT}>\u00a0status", ["status"]),
        (f"<@{BOT}> ?", ["?"]),
        (f"<@{BOT}>", []),
        (f"status <@{BOT}>", []),
        ("x" * 50_000 + f" <@{BOT}> status", ["status"]),
    ],
)
def test_a_message_is_read_from_our_first_mention_on(text: str, words: list[str]) -> None:
    found = words_of_message(text, BOT, needs_mention=True)

    assert found is not None
    assert [word.exact for word in found] == words


@pytest.mark.parametrize(
    "text", ["status acme/web", "<@U123> status", "<@U0BOT2> status", f"&lt;@{BOT}&gt; status", f"@{BOT} status", ""]
)
def test_a_message_that_does_not_mention_us_is_not_for_us(text: str) -> None:
    assert words_of_message(text, BOT, needs_mention=True) is None


@pytest.mark.parametrize("text", ["status x", f"<@{BOT}> status x", f"hey <@{BOT}>: status x", f"status x <@{BOT}>"])
def test_a_direct_message_needs_no_mention(text: str) -> None:
    words = words_of_message(text, BOT, needs_mention=False)

    assert words is not None
    assert [word.exact for word in words] == ["status", "x"]


def test_long_text_is_cut() -> None:
    assert len(words_of_command("a " * 1_000)) == MAX_WORDS
    assert exact("x" * 100_000) == ["x" * MAX_CHARACTERS]


def test_half_a_surrogate_pair_can_be_sent_on() -> None:
    for spelling in spellings("ma\ud800in"):
        assert spelling.encode("utf-8") == b"ma?in"


PIECES = [
    "`",
    "```",
    "<",
    "<!",
    "<@U1",
    "<http://a|",
    "<@U0BOT|a",
    "(",
    ")",
    "&amp;",
    "—",
    "“",
    "_",
    "*",
    "x",
    "\u200b",
    " ",
    ".",
]


@pytest.mark.parametrize("piece", PIECES)
def test_a_hostile_text_is_parsed_in_linear_time(piece: str) -> None:
    """What is read is bounded, and the search for our mention passes over a text once; else it takes minutes."""
    text = piece * 100_000
    begun = time.perf_counter()

    assert len(words_of_command(text)) <= MAX_WORDS
    assert words_of_message(text, BOT, needs_mention=True) is None
    assert time.perf_counter() - begun < 5


SLACKISH = st.lists(
    st.one_of(
        st.sampled_from(
            [*PIECES, ">", "|", "!", "<!channel>", "<!subteam^S|", "<#C1|", "<mailto:", "https://x.io", "…"]
        ),
        st.sampled_from(
            ["&lt;", "&gt;", "amp;", "lt;", "~", "`", "'", "’", "–", "[", "]", "?", "\u00a0", "\u3000", "é"]
        ),
        st.text(max_size=3),
    ),
    max_size=30,
).map("".join)
ANY_TEXT = st.one_of(st.text(), SLACKISH)


@given(ANY_TEXT)
def test_no_text_raises_and_every_word_keeps_the_rules(text: str) -> None:
    words = (*words_of_command(text), *(words_of_message(text, BOT, needs_mention=False) or ()))

    for word in words:
        assert 1 <= len(word.spellings) <= MAX_SPELLINGS
        assert len(set(word.spellings)) == len(word.spellings)
        for spelling in word.spellings:
            assert spelling
            assert "<!" not in spelling
            assert not re.search(r"\s", spelling)


@pytest.mark.parametrize(
    "text",
    [
        f"`<@{BOT}> restart acme/web main`",
        f"like this: ```<@{BOT}> restart acme/web main```",
        f"```\n<@{BOT}> restart\n``` and `<@{BOT}> stop`",
    ],
)
def test_a_mention_in_a_code_sample_is_none(text: str) -> None:
    assert words_of_message(text, BOT, needs_mention=True) is None


@pytest.mark.parametrize(
    "text",
    [
        f"`<@{BOT}> stop x` or <@{BOT}> status x",
        f"```unfinished <@{BOT}> status x",
        f"it's a ` <@{BOT}> status x",
        f"```a``` <@{BOT}> status x",
        f"<@{BOT}> `status` `x`",
    ],
)
def test_a_mention_beside_code_counts(text: str) -> None:
    words = words_of_message(text, BOT, needs_mention=True)
    assert words is not None
    assert [word.cleanest for word in words] == ["status", "x"]


@given(st.text().filter(lambda text: "`" not in text), SLACKISH)
def test_what_precedes_the_mention_changes_nothing(before: str, text: str) -> None:
    mentioned = words_of_message(f"<@{BOT}> {text}", BOT, needs_mention=True)

    assert words_of_message(f"{before}<@{BOT}> {text}", BOT, needs_mention=True) == mentioned


@given(st.text(string.ascii_letters + string.digits + "/#@+-%=$^{}", min_size=1))
def test_a_plain_word_is_itself_and_nothing_else(word: str) -> None:
    assert spellings(word) == [word]


@given(st.text(string.printable.replace("&", "").replace("<", "").replace("`", "")))
def test_the_exact_words_of_plain_text_are_its_words(text: str) -> None:
    assert exact(text) == text.split()[:MAX_WORDS]


@given(ANY_TEXT)
def test_cleaning_a_clean_word_adds_nothing(text: str) -> None:
    # Without what Slack alone writes: `&amp;lt;` is `&lt;` once undone, and would be undone again.
    for word in words_of_command(re.sub("[&<]", "", text)):
        assert spellings(word.cleanest) == [word.cleanest] or len(word.spellings) == 1
