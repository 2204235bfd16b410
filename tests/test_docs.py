"""The documents' tables match the code, their examples match the transcripts, and their links lead somewhere.

`pytest --update` rewrites tables and examples.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.app.settings import rows
from bot.ci import SERVICES
from bot.core.model.command_values import Word
from bot.core.model.commands import TABLE, parse
from bot.slack.incoming.text import words_of_command

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
TRANSCRIPTS = ROOT / "tests/transcripts"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
MAX_README_WORDS = 1200


def short_commands_table() -> str:
    lines = ["| command | result |", "| --- | --- |"]
    lines += [f"| `{entry.usage}` | {entry.answer} |" for entry in TABLE if entry.in_short_help]
    return "\n".join(lines)


def commands_table() -> str:
    lines = ["| command | result | example |", "| --- | --- | --- |"]
    for entry in TABLE:
        usage = entry.usage.replace("|", "\\|")  # else it would end the cell, also within code
        lines.append(f"| `{usage}` | {entry.answer} | `/codeship {entry.example}` |")
    return "\n".join(lines)


def settings_table() -> str:
    of = {row.name: service.name for service in SERVICES for row in service.rows}
    lines = ["| setting | meaning | default |", "| --- | --- | --- |"]
    for row in rows():
        required = f"required with `{of[row.name]}`" if of.get(row.name, "codeship") != "codeship" else "required"
        default = required if row.required else f"`{row.default}`" if row.default else ""
        meaning = row.meaning.removesuffix(" Required.").replace("*", "\\*")
        lines.append(f"| `{row.name}` | {meaning} | {default} |")
    return "\n".join(lines)


TABLES = {
    ("README.md", "commands"): short_commands_table,
    ("docs/commands.md", "commands"): commands_table,
    ("docs/settings.md", "settings"): settings_table,
}


def with_table(text: str, name: str, table: str) -> str:
    before, begin, rest = text.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- /{name} -->")
    assert begin, f"there is no <!-- {name} -->"
    assert end, f"there is no <!-- /{name} -->"
    return f"{before}{begin}{table}\n{end}{after}"


EXAMPLE = re.compile(r"(?ms)^(<!-- from (\S+\.txt) -->\n```\n([^\n]+)\n)(.*?)(?=^```\n<!-- /from -->$)")


def with_examples(text: str) -> str:
    """The text with every example as its transcript has it now: what was typed, then the lines up to the next blank."""

    def as_written(example: re.Match[str]) -> str:
        transcript = (TRANSCRIPTS / example[2]).read_text(encoding="utf-8")
        _, typed, after = f"\n{transcript}".partition(f"\n{example[3]}\n")
        assert typed, f"{example[2]} has no line {example[3]!r}"
        answer, _, _ = after.partition("\n\n")
        return f"{example[1]}{answer.rstrip()}\n"

    return EXAMPLE.sub(as_written, text)


@pytest.mark.parametrize(("document", "name"), TABLES, ids=[" ".join(key) for key in TABLES])
def test_a_table_of_the_documents_equals_the_codes(document: str, name: str, update: bool) -> None:
    path = ROOT / document
    text = path.read_text(encoding="utf-8")
    written = with_table(text, name, TABLES[document, name]())
    if update:
        path.write_text(written, encoding="utf-8")
    assert update or text == written


def test_an_example_in_the_readme_equals_its_transcript(update: bool) -> None:
    text = README.read_text(encoding="utf-8")
    assert EXAMPLE.search(text)
    if update:
        README.write_text(with_examples(text), encoding="utf-8")
    assert update or text == with_examples(text)


def test_every_conversation_in_the_readme_names_its_transcript() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(re.findall(r"(?m)^[a-z]+> ", text)) == len(EXAMPLE.findall(text))


def test_the_readme_says_first_what_the_bot_does_and_is_short() -> None:
    text = README.read_text(encoding="utf-8")
    heading, first = text.split("\n\n")[:2]
    assert heading.startswith("# ")
    assert first == "Check and restart CI builds from Slack, and hear when a branch breaks."
    assert len(text.split()) <= MAX_README_WORDS


def anchors(text: str) -> set[str]:
    """The names by which GitHub links to the headings of a document."""
    titles = re.findall(r"(?m)^#+ (.+)$", text)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?://)([^)]+)\)", text) + re.findall(r'(?:src|srcset)="([^"]+)"', text)
    for target in targets:
        name, _, anchor = target.partition("#")
        linked = path.parent / name if name else path
        assert linked.exists(), target
        assert not anchor or anchor in anchors(linked.read_text(encoding="utf-8")), target


def test_every_document_is_linked_from_the_readme() -> None:
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)", README.read_text(encoding="utf-8")))
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} == linked


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_in_a_document_can_be_parsed(path: Path) -> None:
    for words in re.findall(r"`/codeship ([^`…<]+)`", path.read_text(encoding="utf-8")):
        parse(words_of_command(words))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_in_a_document_exists(path: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    assert set(re.findall(r"(?m)(?:`|^    )make ([a-z-]+)", path.read_text(encoding="utf-8"))) <= targets


NOT_YET_THERE = {"bot/ci/acme/api.py", "bot/ci/acme/client.py"}
"""The files that docs/adding-a-ci-service.md says to write."""


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:bot|playground|tests|docs|deploy)/[\w/.-]+|\.env\.example|manifest\.yml)`", text))
    assert [name for name in sorted(named - NOT_YET_THERE) if not (ROOT / name).exists()] == []


def test_the_usage_hint_of_the_manifest_can_be_parsed() -> None:
    hint = re.search(r"usage_hint: (.+)", (ROOT / "manifest.yml").read_text())
    assert hint is not None
    for words in hint[1].split(" | "):
        parse([Word.of(word) for word in words.split()])
