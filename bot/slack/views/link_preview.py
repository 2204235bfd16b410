"""The preview under a link to a build: its state, branch and commit, and what can be done. Pure.

It has no Refresh: Slack lets an app change a preview only by the message that it is under, which is a person's.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.model.outcomes import BuildShown
from bot.slack.blocks.context import RenderContext
from bot.slack.blocks.message import Block
from bot.slack.messages.builds import facts_line, follow_button, headline, open_button, restart_buttons
from bot.slack.views.elements import section, small


def link_preview(shown: BuildShown, context: RenderContext, *, may_restart: bool) -> Sequence[Block]:
    """`may_restart`: the policy lets the person who shared the link restart the build."""
    build, state = shown.build, shown.restart_state
    can_restart = may_restart and state.claim is None and build.can_be_restarted
    # The whole build only: what failed jobs there are is not shown here.
    first = restart_buttons(build, state.run_number, context)[:1] if can_restart else []
    buttons = [each for each in (*first, follow_button(build, state), open_button(build)) if each is not None]
    facts = facts_line(build)
    blocks: list[Block] = [section(headline(build, context))]
    if facts:
        blocks.append(small(facts))
    return [*blocks, {"type": "actions", "elements": buttons}] if buttons else blocks
