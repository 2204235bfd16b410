"""`docs/adding-a-ci-service.md` names what exists: files, members of the port, fields of a plugin."""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest

import bot.ci
import bot.ci.http_client.responses
import bot.config.parsers
import bot.core.model.builds
import bot.core.model.errors
import bot.core.ports
from bot.ci import SERVICES
from bot.ci.http_client.client import HttpClient
from bot.ci.service import CIClient, ServicePlugin
from bot.config.setting import Setting
from bot.core.model.builds import Ability

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/adding-a-ci-service.md").read_text()
CODE = [ast.parse(block) for block in re.findall(r"(?s)```python\n(.*?)```", PAGE)]
NAMED = re.findall(r"`([^`\n]+)`", PAGE)
YET_TO_COME = {"bot/ci/acme/api.py", "bot/ci/acme/client.py"}


@pytest.mark.parametrize(
    "path", sorted({name for name in NAMED if re.fullmatch(r"(bot|tests|docs)/[\w/.]+", name)} - YET_TO_COME)
)
def test_every_named_file_exists(path: str) -> None:
    assert (ROOT / path).is_file()


@pytest.mark.parametrize("name", sorted({name for name in NAMED if re.fullmatch(r"[A-Z]\w*(\.\w+)?", name)}))
def test_every_named_identifier_exists(name: str) -> None:
    places = [
        bot.ci,
        bot.ci.http_client.responses,
        bot.core.model.errors,
        bot.core.model.builds,
        bot.core.ports,
        bot.config.parsers,
    ]
    known = {each: getattr(place, each) for place in places for each in dir(place)}
    known |= {"HttpClient": HttpClient, "Setting": Setting, "Stage": None} | {
        ability.name: ability for ability in Ability
    }
    first, _, member = name.partition(".")
    assert first in known
    assert not member or hasattr(known[first], member)


def test_every_member_of_the_port_is_in_the_table() -> None:
    told = re.findall(r"(?m)^\| ((?:`\w+`(?:, )?)+) \|", PAGE)
    members = {name for names in told for name in re.findall(r"\w+", names)}
    of_port = {name for port in CIClient.__mro__ for name in vars(port) if not name.startswith("_")}
    assert members == of_port


def test_every_field_of_a_plugin_is_explained() -> None:
    [call] = [node for tree in CODE for node in ast.walk(tree) if _calls(node, "ServicePlugin")]
    given = {keyword.arg for keyword in call.keywords}
    fields = {field.name: field.default is dataclasses.MISSING for field in dataclasses.fields(ServicePlugin)}
    assert given == {name for name, is_required in fields.items() if is_required}
    assert all(f"`{name}`" in PAGE for name in fields if name not in given)


def test_the_rows_in_the_example_are_rows_and_the_settings_named_are_among_them() -> None:
    rows = [node for tree in CODE for node in ast.walk(tree) if _calls(node, "Setting")]
    names = [ast.literal_eval(row.args[0]) for row in rows]
    assert names == ["ACME_TOKEN", "ACME_CALLS_PER_MINUTE"]
    assert all(len(row.args) + len(row.keywords) <= len(dataclasses.fields(Setting)) for row in rows)
    readers = [row.args[3] for row in rows]
    assert all(isinstance(reader, ast.Attribute) and hasattr(bot.config.parsers, reader.attr) for reader in readers)


def test_the_example_line_adds_to_the_existing_rows() -> None:
    [line] = [node for tree in CODE for node in ast.walk(tree) if isinstance(node, ast.AnnAssign)]
    assert isinstance(line.value, ast.Tuple)
    assert [ast.unparse(each).lower() for each in line.value.elts] == [*(each.name for each in SERVICES), "acme"]


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
