"""People in a shared channel: of our workspace, of our organisation, or of another workspace.

Shapes: https://docs.slack.dev/apis/slack-connect and https://docs.slack.dev/reference/interaction-payloads. In an
organisation (Enterprise Grid), an E… replaces a workspace's T….
"""

from __future__ import annotations

import pytest

from bot.slack.incoming.payloads import Workspace, parse_click, parse_command, parse_event
from tests.slack.payloads import CLICK, COMMAND, GRID, HOME, MENTION, Payload, changed

ORGANISATION = {"enterprise_id": "E0ACME"}
SHARED = {**ORGANISATION, "is_ext_shared_channel": True}


@pytest.mark.parametrize(
    ("home", "fields", "elsewhere"),
    [
        (HOME, {}, False),
        (HOME, {"team_id": "T0OTHER"}, True),
        (HOME, {"team_id": "T0OTHER", "enterprise_id": "E0OTHER"}, True),
        (GRID, {"team_id": "T0ACME", "enterprise_id": "E0ACME"}, False),
        (GRID, {"team_id": "T0SISTER", "enterprise_id": "E0ACME"}, False),
        (GRID, {"team_id": "E0ACME"}, False),
        (GRID, {"team_id": "T0OTHER"}, True),
        (GRID, {"team_id": "T0OTHER", "enterprise_id": "E0OTHER"}, True),
        (HOME, {"team_id": "T0OTHER", "enterprise_id": ""}, True),
    ],
)
def test_the_home_of_a_person_who_types_a_command_is_recognised(
    home: Workspace, fields: Payload, elsewhere: bool
) -> None:
    heard = parse_command(changed(COMMAND, **fields), home)
    assert heard is not None
    assert heard.from_elsewhere is elsewhere


@pytest.mark.parametrize(
    ("home", "event", "body", "elsewhere"),
    [
        pytest.param(HOME, {}, {}, False, id="ours"),
        pytest.param(HOME, {"team": None}, {}, False, id="a channel of ours alone, and no team named"),
        pytest.param(HOME, {"team": None}, {"is_ext_shared_channel": True}, True, id="a shared one, and no team named"),
        pytest.param(
            GRID, {"user_team": "T0SISTER"}, {"is_ext_shared_channel": False}, False, id="a sister's, among ourselves"
        ),
        pytest.param(GRID, {"user_team": "T0OTHER"}, {"is_ext_shared_channel": True}, True, id="theirs, or a sister's"),
        pytest.param(HOME, {"team": "T0OTHER"}, {"team_id": "T0OTHER"}, True, id="theirs"),
        pytest.param(HOME, {"user_team": "T0OTHER", "source_team": "T0OTHER"}, {}, True, id="theirs, by user_team"),
        pytest.param(HOME, {"source_team": "T0OTHER"}, {}, True, id="theirs, by source_team"),
        pytest.param(
            HOME, {"user_team": "E0OTHER", "source_team": "E0OTHER"}, {}, True, id="of an organisation; team is ours"
        ),
        pytest.param(GRID, {"user_team": "E0OTHER"}, SHARED, True, id="of another organisation; team is ours"),
        pytest.param(GRID, {}, ORGANISATION, False, id="ours in an organisation"),
        pytest.param(GRID, {"user_team": "E0ACME", "team": "T0SISTER"}, {}, False, id="a sister's, by organisation"),
        pytest.param(
            GRID, {"team": "T0SISTER"}, {"team_id": "T0SISTER", **ORGANISATION}, False, id="a sister's, by workspace"
        ),
        pytest.param(GRID, {"team": "T0OTHER"}, SHARED, True, id="theirs; the organisation is ours, not theirs"),
        pytest.param(
            GRID,
            {"team": "T0OTHER"},
            {"team_id": "T0OTHER", "enterprise_id": "E0OTHER", "is_ext_shared_channel": True},
            True,
            id="theirs, as a pair",
        ),
    ],
)
def test_the_home_of_a_person_who_mentions_the_bot_is_recognised(
    home: Workspace, event: Payload, body: Payload, elsewhere: bool
) -> None:
    heard = parse_event(changed(MENTION, event=event, **body), home)
    assert heard is not None
    assert heard.from_elsewhere is elsewhere


@pytest.mark.parametrize(
    ("home", "fields", "elsewhere"),
    [
        pytest.param(HOME, {}, False, id="ours"),
        pytest.param(HOME, {"user": {"team_id": "T0OTHER"}}, True, id="theirs; the message's team is ours"),
        pytest.param(GRID, {"user": {"team_id": "E0ACME"}}, False, id="ours, by organisation"),
        pytest.param(GRID, {"user": {"team_id": "E0OTHER"}}, True, id="of another organisation"),
        pytest.param(
            GRID,
            {"user": {"team_id": "T0OTHER"}, "enterprise": {"id": "E0ACME", "name": "Acme"}},
            True,
            id="theirs, where our app's own organisation is named",
        ),
        pytest.param(
            GRID,
            {"user": {"team_id": "T0OTHER"}, "team": {"id": "T0ACME", "enterprise_id": "E0ACME"}},
            True,
            id="theirs, in a workspace of our organisation",
        ),
        pytest.param(
            GRID,
            {"user": {"team_id": "T0SISTER"}, "team": {"id": "T0SISTER", "enterprise_id": "E0ACME"}},
            False,
            id="a sister's, in her own workspace",
        ),
    ],
)
def test_the_home_of_a_person_who_presses_a_button_is_recognised(
    home: Workspace, fields: Payload, elsewhere: bool
) -> None:
    heard = parse_click(changed(CLICK, **fields), home)
    assert heard is not None
    assert heard.from_elsewhere is elsewhere


@pytest.mark.parametrize(
    ("home", "team", "doubtful"),
    [
        (GRID, {"id": "T0ACME", "enterprise_id": "E0ACME"}, True),
        (GRID, {"id": "T0ACME"}, False),
        (GRID, {"id": "T0THEIRS", "enterprise_id": "E0OTHER"}, False),
        (HOME, {"id": "T0ACME"}, False),
    ],
)
def test_a_press_in_a_workspace_of_ours_may_be_a_colleagues(home: Workspace, team: Payload, doubtful: bool) -> None:
    heard = parse_click(changed(CLICK, user={"team_id": "T0SISTER"}, team=team), home)
    assert heard is not None
    assert (heard.from_elsewhere, heard.may_be_colleague) == (True, doubtful)
