"""The documents tell the truth: their tables are the code's, their examples are what the bot says.

`pytest --update` writes the tables of the README anew.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.app.settings import rows
from bot.ci import SERVICES
from bot.core.model.commands import TABLE, Word, parse
from bot.slack.incoming.text import words_of_command

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"


def commands_table() -> str:
    lines = ["| words | answer | example |", "| --- | --- | --- |"]
    lines += [f"| `{entry.usage}` | {entry.answer} | `/codeship {entry.example}` |" for entry in TABLE]
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


def with_tables(readme: str) -> str:
    for name, table in (("commands", commands_table()), ("settings", settings_table())):
        readme = re.sub(
            rf"(?s)<!-- {name} -->\n.*?<!-- /{name} -->",
            lambda _: f"<!-- {name} -->\n{table}\n<!-- /{name} -->",  # noqa: B023 - used at once
            readme,
        )
    return readme


def test_the_tables_of_the_readme_are_the_codes(update: bool) -> None:
    readme = README.read_text()
    if update:
        README.write_text(with_tables(readme))
    assert update or readme == with_tables(readme)


def test_the_conversations_of_the_readme_are_from_the_transcripts() -> None:
    spoken = "\n".join(path.read_text() for path in sorted((ROOT / "tests/transcripts").glob("*.txt")))
    excerpts = re.findall(r"(?ms)^```\n([a-z]+> .*?)^```$", README.read_text())
    assert excerpts
    for excerpt in excerpts:
        assert excerpt in spoken


@pytest.mark.parametrize(
    "document",
    [
        "README.md",
        "docs/decisions.md",
        "docs/policy.md",
        "docs/adding-a-ci-service.md",
        "docs/benchmarks.md",
        "docs/operations.md",
    ],
)
def test_links_lead_somewhere(document: str) -> None:
    path = ROOT / document
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", path.read_text()):
        assert (path.parent / target).exists(), target


def test_every_command_in_the_readme_can_be_read() -> None:
    said = re.findall(r"`/codeship ([^`…<]+)`", README.read_text())
    assert said
    for words in said:
        parse(words_of_command(words))


def test_every_make_target_in_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?m)(?:`|^    )make ([a-z-]+)", README.read_text()))
    assert named
    assert named <= targets


def test_every_file_that_the_readme_names_exists() -> None:
    for name in re.findall(r"`((?:bot|tests|docs)/[\w/.]+|\.env\.example|manifest\.yml)`", README.read_text()):
        assert (ROOT / name).exists(), name


def test_the_usage_hint_of_the_manifest_can_be_read() -> None:
    hint = re.search(r"usage_hint: (.+)", (ROOT / "manifest.yml").read_text())
    assert hint is not None
    for words in hint[1].split(" | "):
        parse([Word.of(word) for word in words.split()])
