"""Alert rules and dashboard: Prometheus' own tool parses every expression, and each metric in them exists."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.programs import program
from tests.source import metrics, strings

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
ALERTS_TEST = Path(__file__).parent / "alerts_test.yml"
DASHBOARD: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]
]
NOT_OURS = {"up"}
OF_PROMETHEUS = {"job", "instance", "le"}


def dashboard_expressions() -> list[str]:
    """With an interval in place of Grafana's variable."""
    targets = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return [expression.replace("$__rate_interval", "5m") for expression in targets]


EXPRESSIONS = [*(rule["expr"] for rule in RULES), *dashboard_expressions()]


def series_in(expression: str) -> Iterator[tuple[str, str]]:
    """Each series with its selector: the text in braces, or nothing."""
    yield from re.findall(r"\b(up|bot_\w+)(\{[^}]*\})?", expression)


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run([program("promtool"), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.serial
def test_every_alert_passes_its_test() -> None:
    promtool("check", "rules", ALERTS)
    promtool("test", "rules", ALERTS_TEST)


def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    fires, silent = Counter[str](), Counter[str]()
    for test in yaml.safe_load(ALERTS_TEST.read_text(encoding="utf-8"))["tests"]:
        for check in test["alert_rule_test"]:
            (fires if check.get("exp_alerts") else silent)[check["alertname"]] += 1
    names = {rule["alert"] for rule in RULES}
    assert fires.keys() == silent.keys() == names


def test_every_alert_says_what_to_do_next() -> None:
    for rule in RULES:
        assert rule["annotations"].keys() == {"summary", "next_step"}
        assert rule["labels"]["severity"] in ("page", "ticket")


@pytest.mark.serial
def test_prometheus_understands_every_expression_of_the_dashboard(tmp_path: Path) -> None:
    rules = [{"record": f"panel:{number}", "expr": expr} for number, expr in enumerate(dashboard_expressions())]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", file)


def test_the_data_source_is_the_dashboards_only_variable() -> None:
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource"]
    assert [expression for expression in dashboard_expressions() if "$" in expression] == []


def test_expressions_name_only_metrics_and_labels_that_exist() -> None:
    labels = {sample: {*metric.labels, *OF_PROMETHEUS} for metric in metrics().values() for sample in metric.samples}
    labels |= dict.fromkeys(NOT_OURS, OF_PROMETHEUS)
    for expression in EXPRESSIONS:
        series = list(series_in(expression))
        assert series, expression
        known: set[str] = set()
        for name, selector in series:
            assert name in labels, f"{name} is no metric of the bot: {expression}"
            chosen = dict(re.findall(r'(\w+)=~?"([^"]*)"', selector))
            assert chosen.keys() <= labels[name], expression
            assert {value for label, value in chosen.items() if label not in OF_PROMETHEUS} <= strings(), expression
            known |= labels[name]
        for grouped in re.findall(r"\bby \(([^)]*)\)", expression):
            assert set(grouped.split(", ")) <= known, expression


def test_the_dashboard_shows_every_metric() -> None:
    shown = {name for expression in dashboard_expressions() for name, _ in series_in(expression)}
    assert [name for name, metric in metrics().items() if not metric.samples & shown] == []


def test_panels_do_not_overlap() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]
    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)
