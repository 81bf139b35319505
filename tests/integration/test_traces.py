"""Does a tool for traces see turns and deployments, where it is asked for, and nothing where not?"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.telemetry.traces import tracing
from tests.collector import Collector, collecting
from tests.world import ENVIRONMENTS, World, app_manifest

PARTS = {"look", "note", "plan", "carry", "claim", "fetch"}
FAILING = ENVIRONMENTS.replace(
    "{type: directory, path: releases/live}}", '{type: exec, command: ["/bin/sh", "-c", "echo no luck; exit 1"]}}'
).replace("spec: {track: pre-release", "spec: {track: pre-release, retry: {limit: 0}")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """A collector that the variables of this process name."""
    with collecting() as found:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.address)
        yield found


def settle_traced(world: World) -> None:
    """Let everything be done that can be done; all traces have been sent afterwards."""
    with tracing(os.environ, lambda: world.now):
        world.settle()


def test_a_turn_shows_its_parts(world: World, collector: Collector) -> None:
    world.start_repository()
    settle_traced(world)
    turns = collector.named("turn")
    first = turns[0]
    assert (first.facts["reconciler.commits"], first.facts["reconciler.planned"]) == (1, 1)
    assert first.parent == b""
    parts = [span for span in collector.spans if span.trace == first.trace and span is not first]
    assert {span.name for span in parts} == PARTS
    by_id = {span.id: span for span in (*parts, first)}
    for span in parts:
        assert span.parent in by_id
        assert by_id[span.parent].begun <= span.begun <= span.ended <= by_id[span.parent].ended
    assert [by_id[span.parent].name for span in parts if span.name == "carry"] == ["plan"]
    assert [by_id[span.parent].name for span in parts if span.name == "plan"] == ["turn"]
    assert abs(first.ended / 1e9 - world.now.timestamp()) < 60
    assert all(any(span.facts.values()) for span in turns), "a turn that did nothing leaves no trace"


def test_a_deployment_shows_from_its_claim_to_its_outcome(world: World, collector: Collector) -> None:
    world.commit("Begin", {"environments.yaml": FAILING, "shop.yaml": app_manifest(), "shop/index.html": "one"})
    settle_traced(world)
    spans = {span.facts["reconciler.environment"]: span for span in collector.named("deployment")}
    assert sorted(spans) == ["live", "pre-release", "sandbox"]
    recorded = {one.environment: one for one in world.history()}
    for environment, span in spans.items():
        one = recorded[environment]
        assert span.facts["reconciler.app"] == "shop"
        assert span.facts["reconciler.id"] == one.id
        assert span.facts["reconciler.cause"] == one.cause
        assert span.facts["reconciler.status"] == one.status
        assert span.facts["reconciler.versions"] == [1]
        assert one.started_at is not None
        assert one.finished_at is not None
        assert (span.begun, span.ended) == (
            int(one.started_at.timestamp() * 1e9),
            int(one.finished_at.timestamp() * 1e9),
        )
    assert spans["sandbox"].failed is None
    assert "sh ended with status 1" in (spans["live"].failed or "")


def test_the_resource_is_named_and_can_be_named_otherwise(
    world: World, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.start_repository()
    settle_traced(world)
    assert collector.resources[0]["service.name"] == "reconciler"
    assert collector.resources[0]["service.version"]
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-reconciler")
    world.commit("Again", {"shop/index.html": "two"})
    settle_traced(world)
    assert collector.resources[-1]["service.name"] == "shop-reconciler"


@pytest.mark.parametrize(
    "variables",
    [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}],
)
def test_without_an_endpoint_nothing_of_it_is_imported(variables: dict[str, str], world: World) -> None:
    script = (
        "import os, sys\n"
        "from datetime import UTC, datetime\n"
        "import reconciler.wiring\n"
        "from reconciler import telemetry\n"
        "from reconciler.telemetry.traces import tracing\n"
        "with tracing(os.environ, lambda: None), telemetry.stage('turn'):\n"
        "    pass\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))\n"
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run([sys.executable, "-c", script], env=environ | variables, check=False)
    assert done.returncode == 0


def test_a_collector_that_never_answers_keeps_nothing_from_ending(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.start_repository()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "30")
        with tracing(os.environ, lambda: world.now):
            world.settle()
            begun = time.monotonic()
        # An exporter gives up after the 30 s that are allowed it; what is said last may take 3.
        assert time.monotonic() - begun < 20
    assert world.runs("live") == "one"


def test_the_command_sends_traces(world: World, collector: Collector) -> None:
    world.start_repository()
    (world.directory / "reconciler.yaml").write_text(json.dumps(world.settings))
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "run", "--once", "--config", str(world.directory / "reconciler.yaml")],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.address}/v1/traces"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [span.facts["reconciler.environment"] for span in collector.named("deployment")] == [
        "sandbox",
        "pre-release",
        "live",
    ]
    assert collector.named("turn")


def test_a_clock_that_jumps_leaves_lengths_as_they_are(world: World, collector: Collector) -> None:
    world.start_repository()

    def moved() -> object:
        world.later(hours=1)
        return world.now

    with tracing(os.environ, moved):  # type: ignore[arg-type]
        world.settle()
    assert all(
        0 <= span.ended - span.begun < timedelta(minutes=1).total_seconds() * 1e9 for span in collector.named("turn")
    )
