"""manifest.yml is accepted by Slack in one paste, for both transports, with exactly the scopes in use."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.app.settings import rows
from bot.slack.listeners import (
    EVENTS,
    EVENTS_OF_LINKS,
    SCOPES,
    SCOPES_OF_EMAILS,
    SCOPES_OF_GROUPS,
    SCOPES_OF_GUESTS,
    SCOPES_OF_LINKS,
    SHORTCUTS,
)
from playground.slack.model import APP, Shortcut

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "tests/schemas/manifest.schema.1.0.0.json").read_text(encoding="utf-8"))
TEXT = (ROOT / "manifest.yml").read_text(encoding="utf-8")

SCOPE_OF_EVENT = {"app_home_opened": None, "app_mention": "app_mentions:read", "message.im": "im:history"}
"""What an app must be granted to receive an event: https://docs.slack.dev/reference/events"""


def over_http(text: str) -> str:
    """The manifest, changed as its first lines tell."""
    text = re.sub(r"^( *)# (?=.*https://YOUR-HOST)", r"\1", text, flags=re.MULTILINE)
    return text.replace("YOUR-HOST", "bot.acme.io").replace("socket_mode_enabled: true", "socket_mode_enabled: false")


SOCKET_MODE: dict[str, Any] = yaml.safe_load(TEXT)
HTTP: dict[str, Any] = yaml.safe_load(over_http(TEXT))


@pytest.mark.parametrize("manifest", [SOCKET_MODE, HTTP], ids=["Socket Mode", "HTTP"])
def test_the_manifest_is_valid_by_slacks_own_schema(manifest):
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(manifest)] == []


def test_the_schema_refuses_what_slack_refuses():
    broken = {**SOCKET_MODE, "features": {**SOCKET_MODE["features"], "bot_user": {"name": "codeship"}}}
    assert not jsonschema.Draft7Validator(SCHEMA).is_valid(broken)


def test_unchanged_it_is_for_socket_mode_and_names_no_address():
    assert SOCKET_MODE["settings"]["socket_mode_enabled"] is True
    assert "https://" not in json.dumps(SOCKET_MODE)


def test_changed_as_it_reports_everything_comes_to_one_address_over_http():
    settings = HTTP["settings"]
    assert settings["socket_mode_enabled"] is False
    assert {
        *(command["url"] for command in HTTP["features"]["slash_commands"]),
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        settings["interactivity"]["message_menu_options_url"],
    } == {"https://bot.acme.io/slack/events"}


def test_the_commands_are_the_default_of_their_setting_and_their_text_comes_raw():
    commands = SOCKET_MODE["features"]["slash_commands"]
    default = next(row.default for row in rows() if row.name == "SLACK_COMMAND")
    assert ",".join(command["command"] for command in commands) == default
    assert [command["should_escape"] for command in commands] == [False, False]


def test_the_scopes_are_those_that_its_features_need_and_no_others():
    events = SOCKET_MODE["settings"]["event_subscriptions"]["bot_events"]
    needed = {scope for event in events if (scope := SCOPE_OF_EVENT[event])} | {"commands", "chat:write"}
    assert SOCKET_MODE["oauth_config"]["scopes"] == {"bot": sorted(needed)}


def test_the_scopes_that_only_some_rules_need_are_there_to_be_put_in():
    with_all = yaml.safe_load(re.sub(r"# (- usergroups:read|- users:read)", r"\1", TEXT))
    assert with_all["oauth_config"]["scopes"]["bot"] == [*SCOPES, *SCOPES_OF_GROUPS, *SCOPES_OF_EMAILS]
    assert set(SCOPES_OF_GUESTS) <= set(SCOPES_OF_EMAILS)
    assert jsonschema.Draft7Validator(SCHEMA).is_valid(with_all)


def test_what_link_previews_need_is_there_to_be_put_in():
    wanted = r"# (unfurl_domains:|  - [a-z]+\.[a-z.]+$|- links:|- link_shared)"
    text = re.sub(wanted, r"\1", TEXT, flags=re.MULTILINE)
    manifest = yaml.safe_load(text)
    assert manifest["features"]["unfurl_domains"] == ["app.codeship.com", "github.com"]
    assert manifest["oauth_config"]["scopes"]["bot"] == [*SCOPES, *SCOPES_OF_LINKS]
    assert set(manifest["settings"]["event_subscriptions"]["bot_events"]) == {*EVENTS, *EVENTS_OF_LINKS}
    assert jsonschema.Draft7Validator(SCHEMA).is_valid(manifest)


def test_people_can_write_to_the_bot_and_press_its_buttons():
    home = SOCKET_MODE["features"]["app_home"]
    assert home["home_tab_enabled"] is True
    assert home["messages_tab_enabled"] is True
    assert home["messages_tab_read_only_enabled"] is False
    assert SOCKET_MODE["settings"]["interactivity"]["is_enabled"] is True


def test_the_shortcuts_are_those_that_the_bot_answers_and_those_of_the_simulated_slack():
    shortcuts = SOCKET_MODE["features"]["shortcuts"]
    assert {it["callback_id"]: it["type"] for it in shortcuts} == SHORTCUTS
    assert [Shortcut(it["name"], it["type"], it["callback_id"]) for it in shortcuts] == list(APP.shortcuts)
    assert APP.events == set(SOCKET_MODE["settings"]["event_subscriptions"]["bot_events"])
    assert all(len(it["name"]) <= 24 for it in shortcuts)
