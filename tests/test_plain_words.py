"""Phrases that the bot no longer says: whole phrases, not single words. What people read is held to this."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
RETIRED = (
    "nobody can tell",
    "whether it took",
    "gave no answer",
    "looking afterwards",
    "asks for this restart once more",
    "takes no more questions",
    "takes no more calls",
    "used up my own budget",
    "refuses my api key",
    "refused the token",
    "does not let my api key",
    "shows my api key no",
    "does not do this to this build",
    "gave an answer that i cannot read",
    "what i saw last",
    "i know no repository",
    "may be any of",
    "i do not know “",
    "a word i do not know",
    "it goes: ",
    "a branch is one word",
    "i follow it",
    "i have stopped following",
    "i cannot change this message later",
    "this is the earlier run",
    "this is the new run",
    "belonged to an earlier run",
    "says nothing of the code",
    "told to stop",
    "told to cancel",
    "not over yet, left alone",
    "lets nobody stop",
    "lets nobody cancel",
    "only people of the workspace",
    "what runs of the build",
    "repositories that i can see",
    "those whose names hold",
    "newest build of the branch stands",
    "how it stands",
    "whoever runs this bot",
    "will run once more",
    "what came of it",
    "shall i ",
    "ask anew",
)
"""In small letters, as people read them; to be found in nothing that people read."""

RETIRED_IN_DOCUMENTS = (
    *RETIRED,
    "as it stands",
    "build stands",
    "once more",
    "budget of calls",
    "is told of",
    "whoever",
    "anew",
    "blotted out",
    "who is speaking",
)
"""Words that messages may contain as parts of names, but documents need not."""

DOCUMENTS = [
    *sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]),
    *(ROOT / name for name in (".env.example", "Makefile", "manifest.yml", "policy.example.toml")),
    *sorted((ROOT / "playground/web/src").glob("*.tsx")),
]
SPOKEN = [
    *sorted((ROOT / "tests").glob("slack/messages/golden/*.txt")),
    *sorted((ROOT / "tests").glob("transcripts/*.txt")),
]
SOURCES = sorted((ROOT / "bot").rglob("*.py"))


def retired_in(text: str, phrases: Sequence[str] = RETIRED) -> list[str]:
    """The phrases in `text` that stand there as whole words, with any capitals and line breaks."""
    plain = re.sub(r"\s+", " ", text).lower()
    return [phrase for phrase in phrases if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", plain)]


def texts_of(source: str) -> Iterator[str]:
    """Each string literal of a module that is no docstring; of a formatted one, its parts."""
    nodes = list(ast.walk(ast.parse(source)))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    within = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            yield "".join(part.value if isinstance(part, ast.Constant) else "…" for part in node.values)  # type: ignore[misc]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings | within:
            yield node.value


def found_in(paths: Sequence[Path], phrases: Sequence[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {phrase}"
        for path in paths
        for phrase in retired_in(path.read_text(encoding="utf-8"), phrases)
    ]


def test_no_document_has_a_retired_phrase() -> None:
    assert found_in(DOCUMENTS, RETIRED_IN_DOCUMENTS) == []


def test_no_message_or_transcript_has_a_retired_phrase() -> None:
    assert found_in(SPOKEN, RETIRED) == []


def test_no_string_of_the_bot_has_a_retired_phrase() -> None:
    found = [
        (str(path.relative_to(ROOT)), phrase)
        for path in SOURCES
        for phrase in retired_in(" \x00 ".join(texts_of(path.read_text(encoding="utf-8"))))
    ]
    assert found == []


def test_a_retired_phrase_is_found_over_line_breaks_and_in_formatted_text() -> None:
    assert retired_in("Nobody\n  can tell") == ["nobody can tell"]
    module = """\"Nobody can tell.\"\nsaid = f\"{title} gave no answer\"\n"""
    assert [retired_in(text) for text in texts_of(module) if retired_in(text)] == [["gave no answer"]]
