"""The hooks that the Slack CLI runs for `slack run`: it names the manifest, and starts the bot with the tokens."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from playground.sandbox import APP_TOKEN, BOT_TOKEN
from tests.processes.bot_process import Runs, Sandbox

pytestmark = pytest.mark.serial

ROOT = Path(__file__).parents[2]
HOOKS = json.loads((ROOT / ".slack/hooks.json").read_text())
BOUNDARY = "7b6c0f2e"
FLAGS = ["--protocol=message-boundaries", f"--boundary={BOUNDARY}"]


def _words(hook: str) -> list[str]:
    """The hook's command, with the interpreter that runs the tests."""
    python, *words = shlex.split(HOOKS["hooks"][hook])
    assert python == ".venv/bin/python"
    return [sys.executable, *words]


@pytest.mark.parametrize(("flags", "around"), [([], ""), (FLAGS, BOUNDARY)], ids=["default", "message-boundaries"])
def test_the_manifest_hook_prints_the_manifest_as_json(flags: list[str], around: str) -> None:
    ran = subprocess.run([*_words("get-manifest"), *flags], cwd=ROOT, capture_output=True, text=True, check=True)
    said = ran.stdout.strip()
    assert said.startswith(around)
    assert said.endswith(around)
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text())
    assert json.loads(said.removeprefix(around).removesuffix(around)) == manifest


@pytest.mark.parametrize("either", ["socket mode"], indirect=True)
def test_the_start_hook_starts_the_bot_with_the_tokens_of_the_cli(either: Sandbox, either_runs: Runs) -> None:
    assert HOOKS["config"]["sdk-managed-connection-enabled"] is True
    assert _words("start")[1:] == ["-m", "bot"]
    either_runs.ready(either_runs.start(*FLAGS, SLACK_APP_TOKEN=APP_TOKEN, SLACK_BOT_TOKEN=BOT_TOKEN))
    either.says("/codeship status acme/web main")
    assert either.sees("failed in 4m")
