"""The form over both transports: typeahead and problems come in the acknowledgement, the result in the conversation."""

from __future__ import annotations

import pytest

from playground.sandbox import Sandbox, Transport
from playground.slack.view_interactions import submits, suggestions
from tests.held_clock import HeldClock


@pytest.mark.parametrize("transport", ["http", "socket mode"])
def test_the_form_works_over_both_transports(transport: Transport) -> None:
    with Sandbox(HeldClock(), transport=transport, ack_timeout_s=30.0) as stage:
        workspace = stage.workspace
        workspace.types("ada", "#builds", "/codeship")
        assert stage.settle()
        (modal,) = workspace.modals.open
        (web,) = suggestions(workspace, "ada", modal.id, "form:repo", "acme/web")
        main = {"text": {"type": "plain_text", "text": "main"}, "value": "main"}
        values = {
            "form:action": {"form:action": {"selected_option": {"value": "audit"}}},
            "form:repo": {"form:repo": {"selected_option": web}},
            "form:branch:0": {"form:branch": {"selected_option": main}},
        }
        submits(workspace, "ada", modal.id, values)
        assert workspace.modals.open[0].errors == {"form:action": "Choose an action."}
        values["form:action"]["form:action"] = {"selected_option": {"value": "status"}}
        submits(workspace, "ada", modal.id, values)
        assert stage.settle()
        assert workspace.modals.open == ()
        assert "acme/web main failed" in workspace.conversation("#builds", "bob")[-1].text
