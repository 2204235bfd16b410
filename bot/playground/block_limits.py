"""Slack's limits on blocks as tables: lengths, counts, kinds. Numbers only; `blocks.py` applies them.

Source: the reference pages of Block Kit (https://docs.slack.dev/reference/block-kit); the size of a whole message
is not documented there, and is what senders have met.
"""

from __future__ import annotations

from collections.abc import Mapping

BLOCKS_OF_A_MESSAGE = 50
BLOCKS_OF_A_VIEW = 100
# Slack answers msg_blocks_too_long a little above this, depending on the blocks.
CHARACTERS_OF_A_MESSAGE = 13_200
CHARACTERS_OF_MARKDOWN = 12_000
CHARACTERS_OF_A_TEXT_OBJECT = 3_000
CHARTS_OF_A_MESSAGE = 2

ONLY_IN_MODALS = frozenset({"alert"})
# Kinds that Slack takes and its type definitions do not describe, or not fully.
UNDESCRIBED = frozenset({"data_visualization", "container", "auth_provider"})

# kind → dotted place → characters at most
LENGTHS: Mapping[str, Mapping[str, int]] = {
    "header": {"text.text": 150},
    "section": {"text.text": 3_000},
    "button": {"text.text": 75, "value": 2_000, "url": 3_000, "accessibility_label": 75},
    "image": {"alt_text": 2_000, "image_url": 3_000, "title.text": 2_000},
    "input": {"label.text": 2_000, "hint.text": 2_000},
}
ANY_LENGTHS: Mapping[str, int] = {"block_id": 255, "action_id": 255, "placeholder.text": 150}
CONFIRM_LENGTHS: Mapping[str, int] = {"title.text": 100, "text.text": 300, "confirm.text": 30, "deny.text": 30}
OPTION_LENGTHS: Mapping[str, int] = {"text.text": 75, "value": 150, "description.text": 75}
VIEW_LENGTHS: Mapping[str, int] = {
    "title.text": 24,
    "submit.text": 24,
    "close.text": 24,
    "private_metadata": 3_000,
    "callback_id": 255,
}

# kind → list → (items at least, items at most)
COUNTS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "actions": {"elements": (1, 25)},
    "context": {"elements": (1, 10)},
    "context_actions": {"elements": (1, 5)},
    "section": {"fields": (1, 10)},
    "overflow": {"options": (1, 5)},
    "checkboxes": {"options": (1, 10)},
    "radio_buttons": {"options": (1, 10)},
    "static_select": {"options": (1, 100), "option_groups": (1, 100)},
    "multi_static_select": {"options": (1, 100), "option_groups": (1, 100)},
}
CHARACTERS_OF_A_FIELD = 2_000
