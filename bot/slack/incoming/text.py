"""Recovers the words that people meant from the text that Slack sends. Pure.

Slack rewrites text (links, mentions, three entities), phones change it (quotes, dashes, spaces), people decorate it
(backticks, bold, a full stop). A name may really look like any of these. So every word keeps its exact spelling first,
followed by cleaner ones. This module does not know what words mean. Code that prints a word must escape it.
"""

from __future__ import annotations

import re
import unicodedata

from bot.core.model.command_values import Word

MAX_CHARACTERS = 4_000
MAX_WORDS = 50
MAX_SPELLINGS = 6

# Every pattern here stops at the next `<`, so that none reads the same characters twice.
_TOKEN = re.compile(r"<([^<>|\s]+)(?:\|([^<>]*))?>")
_PERSON = re.compile(r"(?<!\S)<@[^<>|\s]+(?:\|[^<>]*)?>[.,:;!?]*(?!\S)")
_MENTIONING = re.compile(r"(?i)(?<!\S)(mentions?:\s*)((?:<(?:@|!subteam\^)[^<>|\s]+(?:\|[^<>]*)?>[,\s]*)+)")
_ID_OF_A_MENTION = re.compile(r"<(?:@|!subteam\^)([^<>|\s]+)")
_FENCE = "```"
_INLINE = re.compile(r"`[^`\n]+`")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?://)?(?=.)")
_PING = re.compile(r"<+!")

_QUOTES = "\"'`´“”„‟‘’‚‛«»‹›"
_BEFORE = frozenset(_QUOTES + "*~")  # git allows neither `*` nor `~` in a branch
_AFTER = _BEFORE | frozenset(".?!,;:")
_PAIRS = frozenset({"()", "[]", "<>", "__"})  # people type usage as written: `<repo> [branch]`
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
    """The words after a slash command. A mention of a person on its own is not a word; `mention:` keeps its id."""
    # JSON can hold half a surrogate pair, UTF-8 cannot: sending the word on would raise.
    text = text[:MAX_CHARACTERS].encode("utf-8", "replace").decode()
    text = _PERSON.sub(" ", _MENTIONING.sub(_by_ids, text))
    typed = _without_entities(_TOKEN.sub(lambda token: _readings(token)[0], text)).split()
    # Both readings of a link have no spaces or are equal, so the two lists match.
    linked = _without_entities(_TOKEN.sub(lambda token: _readings(token)[1], text)).split()
    words = [_word(*readings) for readings in zip(typed, linked, strict=True) if _is_word(readings[0])]
    return tuple(words[:MAX_WORDS])


def words_of_message(text: str, bot_user_id: str, *, needs_mention: bool) -> tuple[Word, ...] | None:
    """The words after the first mention of the bot outside code. None without a mention if `needs_mention`.

    If it need not be mentioned (a direct message) and nothing follows the mention, all words count.
    """
    mention = re.search(rf"<@{re.escape(bot_user_id)}(?:\|[^<>]*)?>", _with_code_blanked(text))
    if mention is None:
        return None if needs_mention else words_of_command(text)
    words = words_of_command(text[mention.end() :].lstrip(":,;"))
    start = next((at for at, word in enumerate(words) if not _AFTER_MENTION.issuperset(word.exact)), len(words))
    return words[start:] or (() if needs_mention else words_of_command(text))


def _by_ids(option: re.Match[str]) -> str:
    """`mention:@U0ADA,@S0ONCALL`: who is mentioned as ids, since a name would not say it."""
    ids = [f"@{id_}" for id_ in _ID_OF_A_MENTION.findall(option[2])]
    return f"{option[1].strip()}{','.join(ids)} "


def _with_code_blanked(text: str) -> str:
    """Each character in code, between three backticks or one, is a blank. All positions stay the same."""
    parts = text.split(_FENCE)
    closed = len(parts) - 1 if len(parts) % 2 == 0 else len(parts)
    blanked = [
        " " * len(part) if at % 2 and at < closed else _INLINE.sub(_blank, part) for at, part in enumerate(parts)
    ]
    return _FENCE.join(blanked)


def _blank(code: re.Match[str]) -> str:
    return " " * len(code[0])


def _readings(token: re.Match[str]) -> tuple[str, str]:
    """What was typed for `token` in Slack's text, and the address of a link if that says something else."""
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
        return address, address  # a sentence as a link: only the address can be one word
    is_same = label.rstrip("/").lower() in (bare.rstrip("/").lower(), target.rstrip("/").lower())
    return (label, label) if is_same or address == bare else (label, address)


def _without_entities(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _is_word(typed: str) -> bool:
    """False for invisible text, and for the fence of a code block on its own line."""
    return bool(_visible(typed).strip("`"))


def _word(typed: str, linked: str) -> Word:
    spellings = _spellings(typed)
    if linked != typed:
        spellings += _spellings(linked)[::2]  # exact and bare: a link has no dashes from a phone
    return Word.of(*spellings[:MAX_SPELLINGS])


def _spellings(word: str) -> list[str]:
    """Spellings from the least changed: exact, with keyboard characters, bare, bare with long dashes as one hyphen."""
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
    """Without `<!`, so that a word that is printed unescaped by mistake pings no one."""
    return _PING.sub("!", word)


def _bare(word: str) -> str:
    """Without decoration. Brackets are removed in pairs; round ones also if the other one is in another word."""
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
