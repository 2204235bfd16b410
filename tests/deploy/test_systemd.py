"""`deploy/codeship-bot.service`, checked by systemd's own tools. Nothing is started."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from bot.app.timeouts import TIMEOUTS
from tests.programs import program

UNIT = Path(__file__).parents[2] / "deploy" / "codeship-bot.service"
TEXT = UNIT.read_text(encoding="utf-8")
FOLDER = "/opt/codeship-bot"


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [program("systemd-analyze"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.serial
def test_systemd_finds_no_mistake(tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch(mode=0o755)
    assert FOLDER in TEXT
    unit = tmp_path / UNIT.name
    unit.write_text(TEXT.replace(FOLDER, str(tmp_path)), encoding="utf-8")
    done = analyze("verify", unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.serial
def test_systemd_rates_the_exposure_low() -> None:
    done = analyze("security", "--offline=true", "--threshold=20", UNIT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_bot_has_time_to_stop_cleanly() -> None:
    found = re.search(r"^TimeoutStopSec=(\d+)$", TEXT, flags=re.MULTILINE)
    assert found is not None
    assert int(found[1]) >= TIMEOUTS.finish_s + 5


def test_a_reload_sends_the_signal_that_reads_the_policy_again() -> None:
    assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in TEXT


def test_the_unit_holds_no_secret() -> None:
    assert "\nEnvironmentFile=/etc/codeship-bot/env\n" in TEXT
    assert not re.search(r"^Environment=\w*(?:TOKEN|SECRET|KEY|PASSWORD)", TEXT, flags=re.MULTILINE)
