"""Prints manifest.yml as JSON for the Slack CLI, whose hooks .slack/hooks.json names.

https://docs.slack.dev/tools/slack-cli/reference/hooks
"""

from __future__ import annotations

import json
from pathlib import Path

import yaml

MANIFEST = Path(__file__).parents[2] / "manifest.yml"


def manifest_as_json(boundary: str | None = None) -> str:
    """The manifest, between two copies of `boundary` if the CLI gives one. Raises OSError."""
    text = json.dumps(yaml.safe_load(MANIFEST.read_text(encoding="utf-8")))
    return f"{boundary}{text}{boundary}" if boundary else text
