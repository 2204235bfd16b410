"""What people type, undone: from the text that Slack sends to the words that were meant. Pure.

Slack rewrites text (links, mentions, three entities), phones improve it (quotes, dashes, spaces), people decorate it
(backticks, bold, a full stop). A name may really look like any of these, so every word keeps its exact spelling first
and is followed by cleaner ones. What a word means is not known here. Whoever prints a word escapes it.
"""

from __future__ import annotations

import re
import unicodedata

from bot.core.model.commands import Word

MAX_CHARACTERS = 4_000
MAX_WORDS = 50
MAX_SPELLINGS = 6

# Every pattern here stops at the next `<`, so that none reads the same characters twice.
_TOKEN = re.compile(r"<([^<>|\s]+)(?:\|([^<>]*))?>")
_PERSON = re.compile(r"(?<!\S)<@[^<>|\s]+(?:\|[^<>]*)?>[.,:;!?]*(?!\S)")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://)?(?=.)")
_PING = re.compile(r"<+!")

_QUOTES = "\"'`´“”„‟‘’‚‛«»‹›"
_BEFORE = frozenset(_QUOTES + "*~")  # git allows neither `*` nor `~` in a branch
_AFTER = _BEFORE | frozenset(".?!,;:")
_PAIRS = frozenset({"()", "[]", "<>", "__"})  # `<repo> [branch]` is how usage is written, and so how it is typed
_AFTER_MENTION = frozenset(":,;.!*_~-–—")

_AS_ON_A_KEYBOARD = {
    **str.maketrans(dict.fromkeys("“”„‟", '"')),
    **str.maketrans(dict.fromkeys("‘’‚‛", "'")),
    # hyphen, no-break hyphen, figure dash, en dash, minus, small and full-width hyphens
    **str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe58\ufe63\uff0d", "-")),
    **str.maketrans({"…": "..."}),
}
_LONG_DASHES = "—―"
_LONG_AS_TWO = str.maketrans(dict.fromkeys(_LONG_DASHES, "--"))
_LONG_AS_ONE = str.maketrans(dict.fromkeys(_LONG_DASHES, "-"))


def words_of_command(text: str) -> tuple[Word, ...]:
    """The words after a slash command. A person's mention that stands by itself is no word."""
    # Half a surrogate pair can stand in JSON and in no UTF-8: it would raise where the word is sent on.
    text = text[:MAX_CHARACTERS].encode("utf-8", "replace").decode()
    text = _PERSON.sub(" ", text)
    typed = _without_entities(_TOKEN.sub(lambda token: _readings(token)[0], text)).split()
    # Both readings of a link are free of spaces, or the same: the two lists fit.
    linked = _without_entities(_TOKEN.sub(lambda token: _readings(token)[1], text)).split()
    words = [_word(*readings) for readings in zip(typed, linked, strict=True) if _is_word(readings[0])]
    return tuple(words[:MAX_WORDS])


def words_of_message(text: str, bot_user_id: str, *, needs_mention: bool) -> tuple[Word, ...] | None:
    """The words after the first mention of the bot; None where it is not mentioned and `needs_mention`.

    Where it need not be mentioned (a direct message) and nothing follows the mention, all words count.
    """
    mention = re.search(rf"<@{re.escape(bot_user_id)}(?:\|[^<>]*)?>", text)
    if mention is None:
        return None if needs_mention else words_of_command(text)
    words = words_of_command(text[mention.end() :].lstrip(":,;"))
    start = next((at for at, word in enumerate(words) if not _AFTER_MENTION.issuperset(word.exact)), len(words))
    return words[start:] or (() if needs_mention else words_of_command(text))


def _readings(token: re.Match[str]) -> tuple[str, str]:
    """What was typed where Slack now has `token`, and the address behind it where that tells something else."""
    target, label = token[1], token[2] or ""
    if target[0] in "@#":
        text = target[0] + (label.lstrip("@#") or target[1:])
    elif target[0] == "!":
        name, is_special, _ = target[1:].partition("^")  # `!date^…` and `!subteam^…` carry their own text
        text = label if is_special and label else f"@{name}"
    elif scheme := _SCHEME.match(target):
        return _link_readings(target, label, scheme[0])
    else:
        text = token[0]
    return text, text


def _link_readings(target: str, label: str, scheme: str) -> tuple[str, str]:
    bare = target.removeprefix(scheme)
    address = target if scheme.endswith("//") else bare
    if not label.strip() or len(label.split()) > 1 or label != label.strip():
        return address, address  # a sentence with a link under it: only the address can be one word
    is_same = label.rstrip("/").lower() in (bare.rstrip("/").lower(), target.rstrip("/").lower())
    return (label, label) if is_same or address == bare else (label, address)


def _without_entities(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _is_word(typed: str) -> bool:
    """False for what is invisible, and for the fence of a code block on a line of its own."""
    return bool(_visible(typed).strip("`"))


def _word(typed: str, linked: str) -> Word:
    spellings = _spellings(typed)
    if linked != typed:
        spellings += _spellings(linked)[::2]  # exact and bare: a link has no dashes of a phone's making
    return Word.of(*spellings[:MAX_SPELLINGS])


def _spellings(word: str) -> list[str]:
    """As it is; as on a keyboard; bare; bare with the long dashes as one hyphen: the least changed first."""
    exact = _harmless(word)
    plain = _visible(word).translate(_AS_ON_A_KEYBOARD)
    as_two, as_one = _harmless(plain.translate(_LONG_AS_TWO)), _harmless(plain.translate(_LONG_AS_ONE))
    bare = _bare(as_two)
    return [exact, as_two, bare, _bare(as_one)] if bare else [exact]


def _visible(word: str) -> str:
    """Without format and control characters (zero-width, byte order, soft hyphen, bidi) and variation selectors."""
    if word.isascii() and word.isprintable():
        return word
    return "".join(
        sign for sign in word if unicodedata.category(sign) not in ("Cf", "Cc") and sign not in "\ufe0e\ufe0f"
    )


def _harmless(word: str) -> str:
    """Without `<!`, so that a word that is printed raw by mistake still pings nobody."""
    return _PING.sub("!", word)


def _bare(word: str) -> str:
    """Without what stands around it. Brackets go in pairs, round ones also where the other stands in another word."""
    start, end = 0, len(word)
    opening, closing = word.count("("), word.count(")")
    while start < end:
        first, last = word[start], word[end - 1]
        if last in _AFTER:
            end -= 1
        elif first in _BEFORE:
            start += 1
        elif start + 1 < end and first + last in _PAIRS:
            start, end = start + 1, end - 1
            opening, closing = opening - (first == "("), closing - (last == ")")
        elif last == ")" and not opening:
            end, closing = end - 1, closing - 1
        elif first == "(" and not closing:
            start, opening = start + 1, opening - 1
        else:
            break
    return word[start:end]
