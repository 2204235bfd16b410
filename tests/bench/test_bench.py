"""The benchmark is separate from the bot, and uses only this machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench.__main__ import TITLES, main
from bench.contenders.table import of_node, of_python, of_slack_machine
from bench.plan import SCENES, Plan, short, small
from tests.test_packaging import imported_by

ROOT = Path(__file__).parent.parent.parent
MODULES = sorted(
    path
    for path in (ROOT / "bench").rglob("*.py")
    if not {".venv", "node_modules"}.intersection(path.relative_to(ROOT).parts)
)


def test_the_benchmark_measures_processes_and_only_two_files_import_the_bot():
    """What measures a part in this process, and what needs the bot's own signature and clock."""
    assert [path.name for path in MODULES if "bot" in imported_by(path)] == ["hostile.py", "inside.py"]
    assert not [path for path in (ROOT / "bot").rglob("*.py") if "bench" in imported_by(path)]


def test_a_module_has_a_docstring_and_is_short():
    for path in MODULES:
        text = path.read_text(encoding="utf-8")
        assert text.startswith('"""'), path
        assert len(text.splitlines()) <= 300, path


def test_no_registry_and_no_other_machine_is_named():
    locks = [ROOT / "bench/node/package-lock.json", *(ROOT / "bench/slack_machine").glob("requirements*")]
    assert not [path for path in locks if re.search(r'"resolved"|--index|--find-links', path.read_text("utf-8"))]
    for path in [*MODULES, ROOT / "bench/node/program.js", ROOT / "bench/node/package.json"]:
        hosts = set(re.findall(r"\w+://([\w.-]+)", path.read_text(encoding="utf-8")))
        assert hosts <= {"127.0.0.1", "docs.slack.dev", "api.slack.com"}, path


def test_contenders_do_the_same_work_over_each_of_their_transports():
    names = [one.name for one in [*of_python(), *of_node("node"), *of_slack_machine("python")]]
    assert sorted(names) == sorted(
        [f"{kind}-{transport}" for kind in ("bot", "floor", "lean", "bolt-js") for transport in ("http", "socket")]
        + ["slack-machine-socket"]
    )


def test_a_full_run_plays_every_scene_and_the_short_one_only_counts():
    assert Plan().scenes == small().scenes == SCENES == tuple(TITLES)
    assert short().scenes == ("counts",)


def test_an_unknown_argument_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--only", "lodas"])
    assert "lodas" in capsys.readouterr().err
