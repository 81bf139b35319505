"""Has every metric and every alert its heading, and do rules and board ask only for what there is?"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.telemetry import vitals
from tests.exposed import Scraped, scraped
from tests.world import World, season_manifest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "reconciler.rules.yaml"
TESTS = DEPLOY / "prometheus" / "reconciler.tests.yaml"
NAME = re.compile(r"\breconciler_[a-z_]+\b")


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Scraped:
    """What is exposed where there is something of everything."""
    world = World(tmp_path_factory.mktemp("world"))
    world.start_repository()
    world.commit("Plan a sale", {"season.yaml": season_manifest("sale", "2026-12-01T00:00", "2026-12-02T00:00")})
    world.settle()
    vitals.write(world.directory / "state" / vitals.FILE, world.now, world.now)
    return scraped(world)


def headings(beginning: str) -> list[str]:
    """Headings of the page that begin so."""
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    return [name for name in re.findall(r"^### `(\w+)`$", page, re.MULTILINE) if name.startswith(beginning)]


def alerts() -> list[str]:
    """The names of all alerts."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule["alert"] for group in groups for rule in group["rules"]]


def expressions(value: Any) -> list[str]:
    """Everything that a board asks Prometheus for, panels and variables."""
    if isinstance(value, dict):
        own = [value[name] for name in ("expr", "definition") if isinstance(value.get(name), str)]
        return own + [found for part in value.values() for found in expressions(part)]
    return [found for part in value for found in expressions(part)] if isinstance(value, list) else []


def test_every_metric_has_its_heading(everything: Scraped) -> None:
    ends = {"counter": "_total"}
    there = {f"{name}{ends.get(family.type, '')}" for name, family in everything.families.items()}
    told = headings("reconciler_")
    assert set(told) == there
    assert len(told) == len(set(told))


def test_every_alert_has_its_heading_and_is_tried() -> None:
    assert headings("Reconciler") == alerts()
    tried = [test for several in yaml.safe_load(TESTS.read_text())["tests"] for test in several["alert_rule_test"]]
    for alert in alerts():
        outcomes = {bool(test["exp_alerts"]) for test in tried if test["alertname"] == alert}
        assert outcomes == {True, False}, alert


def test_the_rules_ask_only_for_metrics_that_there_are(everything: Scraped) -> None:
    assert set(NAME.findall(RULES.read_text())) <= everything.names
    # So do the samples that they are tried with.
    assert set(NAME.findall(TESTS.read_text())) <= everything.names


def test_the_board_asks_only_for_metrics_and_labels_that_there_are(everything: Scraped) -> None:
    asked = expressions(json.loads((DEPLOY / "grafana" / "reconciler.json").read_text()))
    assert len(asked) > 20
    for query in asked:
        names = set(NAME.findall(query))
        assert names, query
        assert names <= everything.names, query
    labels = {label for name in everything.names for known, _ in everything.of(name) for label in known}
    # What Prometheus itself adds to each series.
    labels |= {"job", "instance", "le", "environment", "cause", "status"}
    used = {
        name
        for query in asked
        for found in re.findall(r"\{([^}]*)\}", query)
        for name in re.findall(r"(\w+)\s*[=!]~?", found)
    }
    used |= {
        name.strip() for query in asked for found in re.findall(r"by \(([^)]*)\)", query) for name in found.split(",")
    }
    assert used <= labels


@pytest.mark.parametrize("command", [["check", "rules", str(RULES)], ["test", "rules", str(TESTS)]])
def test_prometheus_takes_the_rules_and_they_do_what_they_say(command: list[str]) -> None:
    done = subprocess.run(["promtool", *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_every_query_of_the_board(tmp_path: Path) -> None:
    asked = expressions(json.loads((DEPLOY / "grafana" / "reconciler.json").read_text()))
    filled = [query.replace("$__rate_interval", "5m") for query in asked if not query.startswith("label_values")]
    rules = [{"record": f"query:{place}", "expr": query} for place, query in enumerate(filled)]
    file = tmp_path / "board.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "board", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
