"""Are whole, right manifests read as they are meant, and do the JSON Schemas agree?"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import jsonschema_rs
import pytest

from reconciler.manifest import KINDS, decode, locate, parse
from reconciler.manifest.schemas import combined, schema
from reconciler.manifest.text import read
from reconciler.model.app import App
from reconciler.model.environment import Environment
from reconciler.model.season import HolidayRepeat, Season
from reconciler.model.traffic import Share

ENVIRONMENT = b"""\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: live}
spec:
  track: pre-release            # where versions come from
  target: {type: directory, path: releases/live}
  gates: {}
  on_failure: hold
  retry: {limit: 5, backoff: 1m30s}
  rollback: {limit: 3}
  concurrency: 2
  prune: true
"""

APP = b"""\
apiVersion: reconciler/v1
kind: App
metadata: {name: booking-agent, labels: {team: reservations}}
spec:
  owner: reservations
  version: "1.4.0"
  bundle: agent
  image: registry.example/booking@sha256:0123456789abcdef
  config: {greeting: Hello, opening_hours: "9-17", since: 2026-12-01, size: 12, ratio: 1.5, on: true, none: null}
  bindings: [{name: CALENDAR, type: kv, resource: calendar}]
  secrets: [{name: API_KEY, from: "env:BOOKING_API_KEY"}]
  migrations: [v1, v2]
  triggers: {routes: ["book.example.com/*"], crons: ["*/5 * * * *"]}
  depends_on: [payments]
  environments:
    sandbox: {}
    pre-release:
    live:
      config: {log_level: warn}
      schedule:
        - {at: "2026-12-01T09:00", timezone: Europe/Paris, version: "1.5.0"}
        - at: "2026-12-02T09:00Z"
          traffic: [{version: "1.5.0", percent: 90}, {version: v12, percent: 10}]
      pause:
        by: ada@example.com
        reason: |
          The office moves.
          Nobody watches.
        until: "2026-11-30T08:00+01:00"
"""

SEASON = b"""\
apiVersion: reconciler/v1
kind: Season
metadata: {name: christmas}
spec:
  apps: [booking-agent]
  environments: [live]
  from: "2026-12-01T00:00"
  until: "2027-01-02T06:00"
  timezone: Europe/Paris
  repeat: yearly
  config: {greeting: "Merry Christmas", opening_hours: "10-14", old: null}
  on_freeze: wait
"""

EASTER = b"""\
apiVersion: reconciler/v1
kind: Season
metadata: {name: easter}
spec:
  apps: {team: reservations}
  environments: [live]
  timezone: Europe/Berlin
  repeat: {holiday: "DE/Easter Monday", from: -3d, until: +1d}
  version: commit:0123abcd
  priority: 10
"""

RESOURCE = b"""\
apiVersion: reconciler/v1
kind: Resource
metadata: {name: calendar}
spec: {type: kv}
"""

APPSET = b"""\
apiVersion: reconciler/v1
kind: AppSet
metadata: {name: sites}
spec:
  directories: ["sites/*"]
  template:
    metadata: {labels: {team: web}}
    spec: {bundle: ".", environments: [sandbox, live]}
"""

# Understood and refused for now: the schemas accept them, and nothing else is wrong with them.
GATED = b"""\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: live}
spec:
  when: {cron: "0 9 * * mon-thu", timezone: Europe/Paris}
  gates:
    soak: 30m
    approvals: {qa: 1, security: 1}
    checks:
      - {name: smoke, run: ["./checks/smoke.sh", "two\\nlines"], timeout: 2m, mode: off}
    signed: true
    hotfix: [soak]
    mode: report
  rollout: {steps: [10, 50, 100], interval: 10m, bake: 30m}
"""

TRIED = b"""\
apiVersion: reconciler/v1
kind: App
metadata: {name: booking}
spec:
  image: registry.example/booking
  environments:
    live:
      gates: {approvals: 1}
      rollout: {steps: [100]}
      experiment: {control: v1, variant: v2, percent: 20, until: "2026-12-01T09:00Z"}
    sandbox: {track: latest, when: {at: "2026-12-01T09:00Z"}}
"""

FREEZE = b"""\
apiVersion: reconciler/v1
kind: Freeze
metadata: {name: year-end}
spec:
  environments: [live]
  from: "2026-12-23T18:00"
  until: "2027-01-04T08:00"
  timezone: Europe/Paris
  allow: [rollback, season]
  reason: "Nobody is in the office"
"""

NIGHTS = b"""\
apiVersion: reconciler/v1
kind: Freeze
metadata: {name: nights}
spec: {environments: [live], cron: "0 18 * * *", duration: 14h, timezone: Europe/Paris, reason: Sleep}
"""

GROUP = b"""\
apiVersion: reconciler/v1
kind: Group
metadata: {name: checkout}
spec: {apps: [cart, payments], environments: [live]}
"""

ACCEPTED = [ENVIRONMENT, APP, SEASON, EASTER, RESOURCE, APPSET, GATED, TRIED, FREEZE, NIGHTS, GROUP]


def only(text: bytes) -> Any:
    """The manifest of a text that holds one and nothing to complain about."""
    parsed = parse("some.yaml", text)
    assert parsed.complaints == ()
    return parsed.declarations[0].manifest


def test_an_environment_is_read() -> None:
    live = only(ENVIRONMENT)
    assert isinstance(live, Environment)
    assert live.name == "live"
    assert live.spec.track == "pre-release"
    assert live.spec.target == {"type": "directory", "path": "releases/live"}
    assert live.spec.retry.backoff == timedelta(seconds=90)
    assert (live.spec.on_failure, live.spec.concurrency, live.spec.prune) == ("hold", 2, True)


def test_an_environment_needs_only_a_name() -> None:
    plain = only(b"apiVersion: reconciler/v1\nkind: Environment\nmetadata: {name: sandbox}\n")
    assert plain.spec.track == "latest"
    assert plain.spec.target == {"type": "directory"}
    assert plain.spec.retry.backoff == timedelta(seconds=10)


def test_an_app_is_read() -> None:
    app = only(APP)
    assert isinstance(app, App)
    assert app.spec.config == {
        "greeting": "Hello",
        "opening_hours": "9-17",
        "since": "2026-12-01",
        "size": 12,
        "ratio": 1.5,
        "on": True,
        "none": None,
    }
    assert list(app.spec.environments) == ["sandbox", "pre-release", "live"]
    live = app.spec.environments["live"]
    assert live.config == {"log_level": "warn"}
    assert live.schedule[0].version == "1.5.0"
    assert live.schedule[1].traffic == (Share(version="1.5.0", percent=90), Share(version="v12", percent=10))
    assert live.pause is not None
    assert live.pause.reason == "The office moves.\nNobody watches.\n"
    assert app.spec.secrets[0].source == "env:BOOKING_API_KEY"


def test_a_list_of_environments_takes_all_defaults() -> None:
    listed = only(APP[: APP.index(b"    sandbox:")].replace(b"environments:", b"environments: [sandbox, live]"))
    mapped = only(APP[: APP.index(b"    pre-release:")] + b"    live:\n")
    assert listed == mapped


def test_seasons_are_read() -> None:
    christmas, easter = only(SEASON), only(EASTER)
    assert isinstance(christmas, Season)
    assert isinstance(easter, Season)
    assert christmas.spec.config["old"] is None
    assert christmas.covers("booking-agent", {})
    assert easter.spec.repeat == HolidayRepeat(
        holiday="DE/Easter Monday", start=timedelta(days=-3), until=timedelta(days=1)
    )
    assert easter.covers("any", {"team": "reservations", "more": "x"})
    assert easter.spec.span.opens == timedelta(days=-3)


def test_several_documents_of_a_file_are_told_apart() -> None:
    text = b"---\n" + APP + b"---\n# nothing\n---\njust: text\n---\n" + RESOURCE + b"...\n"
    parsed = parse("all.yaml", text)
    assert [(one.kind, one.name, one.ordinal) for one in parsed.declarations] == [
        ("App", "booking-agent", 0),
        ("Resource", "calendar", 3),
    ]
    assert parsed.foreign == 1
    assert parsed.complaints == ()
    assert locate(text, 3, ("spec", "type")) == (len(text.splitlines()) - 1, 14)


@pytest.mark.parametrize("text", ACCEPTED)
def test_a_document_becomes_the_same_manifest_again(text: bytes) -> None:
    declared = parse("some.yaml", text).declarations[0]
    stored = json.loads(json.dumps(declared.document, allow_nan=False))
    assert decode(declared.kind, stored) == declared.manifest


@pytest.mark.parametrize("text", ACCEPTED)
def test_the_schemas_accept_what_is_right(text: bytes) -> None:
    document = read(text).documents[0].value
    jsonschema_rs.validator_for(schema(document["kind"])).validate(document)
    jsonschema_rs.validator_for(combined()).validate(document)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"owner:", b"ownr:"),
        (b"name: booking-agent", b"name: booking agent"),
        (b"percent: 90", b'percent: "90"'),
        (b"    sandbox: {}", b"    sand box: {}"),
        (b'from: "env:', b'from: "vault:'),
        (b"  environments:", b"  env:"),
        (b"apiVersion: reconciler/v1", b"apiVersion: reconciler/v2"),
        (b"kind: App\n", b"# no kind\n"),
        (b"[payments]", b"payments"),
        (b'version: "1.4.0"', b"version: 1.4"),
    ],
)
def test_the_schemas_and_the_parser_refuse_the_same(old: bytes, new: bytes) -> None:
    assert old in APP
    text = APP.replace(old, new)
    document = read(text).documents[0].value
    assert parse("some.yaml", text).complaints
    assert not jsonschema_rs.validator_for(schema("App")).is_valid(document)
    assert not jsonschema_rs.validator_for(combined()).is_valid(document)


def test_there_is_a_sound_schema_for_every_kind() -> None:
    for kind in KINDS:
        made = schema(kind)
        jsonschema_rs.meta.validate(made)
        assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        assert made["description"]
        made["description"] = "changed"
        assert schema(kind)["description"] != "changed"
    jsonschema_rs.meta.validate(combined())
