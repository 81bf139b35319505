"""Is the API as it describes itself, and does its description need nothing from elsewhere?"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

import reconciler.api
from tests.http_asking import Face, face
from tests.world import ENVIRONMENTS, World, app_manifest, season_manifest

SWAGGER = Path(reconciler.api.__file__).parent / "static" / "swagger"
GATED = ENVIRONMENTS.replace(
    "spec: {track: pre-release, target", "spec: {gates: {approvals: 1}, track: pre-release, target"
).replace("spec: {track: sandbox, target", "spec: {rollout: {steps: [10, 100], interval: 1h}, track: sandbox, target")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Face]:
    """What has something of everything: a rollout on its way, an approval waited for, a pause, a broken manifest."""
    world = World(tmp_path_factory.mktemp("described"))
    world.start_repository(config={"greeting": "Hello"})
    world.settle()
    world.later(hours=1)
    season = season_manifest("sale", "2026-07-01", "2026-07-03", config={"greeting": "Sale!"}, environments=["sandbox"])
    second = app_manifest(config={"greeting": "Hi", "list": [1]}, owner="ann", migrations=["add-prices"])
    world.commit(
        "Second", {"environments.yaml": GATED, "shop.yaml": second, "shop/index.html": "two", "season.yaml": season}
    )
    world.settle()
    world.commit("Broken", {"broken.yaml": "apiVersion: reconciler/v1\nkind: Nonsense\n"})
    world.wish("pause", app="shop", environment="live", until=world.now + timedelta(hours=9), reason="stock-taking")
    world.settle()
    with face(world) as found:
        yield found


@pytest.fixture(scope="module")
def described(asked: Face) -> dict[str, Any]:
    found: dict[str, Any] = asked.json("/openapi.json")
    return found


def _holds(described: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    whole = {**schema, "components": described["components"]}
    jsonschema_rs.Draft202012Validator(whole, validate_formats=True).validate(value)


def _answer(described: dict[str, Any], path: str, status: int = 200) -> dict[str, Any]:
    found: dict[str, Any] = described["paths"][path]["get"]["responses"][str(status)]
    return found


ADDRESSES = [
    ("/apps", "/apps"),
    ("/apps/{app}", "/apps/shop"),
    ("/status", "/status"),
    ("/status", "/status?at=40d"),
    ("/status", "/status?at=2026-06-01T12:00:00Z"),
    ("/environments", "/environments"),
    ("/environments/{name}", "/environments/live"),
    ("/versions", "/versions?app=shop"),
    ("/apps/{app}/versions", "/apps/shop/versions"),
    ("/apps/{app}/versions/{ref}", "/apps/shop/versions/v2"),
    ("/apps/{app}/versions/{a}/compare/{b}", "/apps/shop/versions/v1/compare/v2"),
    ("/versions/compare", "/versions/compare?app=shop&a=v2&b=v1"),
    ("/deployments", "/deployments?limit=1000"),
    ("/plan", "/plan"),
    ("/plan", "/plan?until=60d"),
    ("/calendar", "/calendar"),
    ("/apps/{app}/environments/{environment}/why", "/apps/shop/environments/live/why"),
    ("/ledger", "/ledger?limit=1000"),
    ("/ledger/verification", "/ledger/verification"),
    ("/drift", "/drift"),
    ("/figures", "/figures"),
    ("/alerts", "/alerts"),
    ("/alerts/log", "/alerts/log"),
    ("/healthz", "/healthz"),
    ("/readyz", "/readyz"),
]


@pytest.mark.parametrize(("path", "address"), ADDRESSES)
def test_answers_are_as_described(asked: Face, described: dict[str, Any], path: str, address: str) -> None:
    schema = _answer(described, path)["content"]["application/json"]["schema"]
    _holds(described, schema, asked.json(address))


def test_every_deployment_is_as_described(asked: Face, described: dict[str, Any]) -> None:
    schema = _answer(described, "/deployments/{id}")["content"]["application/json"]["schema"]
    whole = asked.json("/deployments?limit=1000")
    for one in whole:
        _holds(described, schema, asked.json(f"/deployments/{one['id']}"))
    assert any(one["rollout"] for one in whole), "a rollout is among them"


def test_the_world_has_something_to_describe(asked: Face) -> None:
    rows = asked.json("/status")
    assert any(one["paused"] for one in rows)
    assert any(one["active"] for one in rows)
    plan = asked.json("/plan?until=60d")
    assert any("changes" in one for one in plan["actions"])


def test_every_path_that_reads_has_an_example_that_holds(described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        if "get" not in operations or path in ("/healthz", "/readyz"):
            continue
        for told in operations["get"]["responses"]["200"]["content"].values():
            assert "example" in told, path
            _holds(described, told["schema"], told["example"])


def test_refusals_are_described(asked: Face, described: dict[str, Any]) -> None:
    text = json.dumps(described)
    assert "HTTPValidationError" not in text
    assert described["openapi"].startswith("3.1")
    for path, operations in described["paths"].items():
        for operation in operations.values():
            for status in ("4XX", "5XX"):
                content = operation["responses"][status]["content"]
                assert list(content) == ["application/problem+json"], path
                assert content["application/problem+json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    _holds(described, {"$ref": "#/components/schemas/Problem"}, asked.refused("/deployments?limit=x&status=y"))
    for name in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert name in described["components"]["schemas"]


def test_lists_tell_of_their_pages_and_tags(described: dict[str, Any]) -> None:
    for path in ("/apps", "/status", "/deployments", "/versions", "/ledger"):
        assert set(_answer(described, path)["headers"]) == {"ETag", "Link"}
        assert "content" not in _answer(described, path, 304)


def test_each_path_says_which_scope_it_needs(asked: Face, described: dict[str, Any]) -> None:
    scheme = described["components"]["securitySchemes"]["token"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            said = operation["security"]
            address = re.sub(r"\{\w+\}", "aaaa", path)
            if method == "get":
                also = [{"feed": ["feed"]}] if path == "/calendar.ics" else []
                assert said == ([] if path in ("/healthz", "/readyz") else [{"token": ["read"]}, *also, {}]), path
            elif path == "/webhooks/{forge}":
                assert said == []
            else:
                (scope,) = said[0]["token"]
                refused = asked.client.request(method, address, json={})
                assert refused.status_code in (401, 422), path
                assert refused.status_code == 422 or f"--scope {scope}" in refused.json()["next_step"]
    acting = {path: one["post"]["security"] for path, one in described["paths"].items() if "post" in one}
    assert acting["/approvals"] == [{"token": ["approve"]}]
    assert acting["/deployment-events/"] == [{"token": ["report"]}]
    assert acting["/apps/{app}/environments/{environment}/rollback"] == [{"token": ["operate"]}]


# The pages


def test_swagger_ui_is_as_it_was_published() -> None:
    lines = (SWAGGER / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    sums = dict(reversed(line.split("  ", 1)) for line in lines if not line.startswith("#"))
    assert {"LICENSE", "swagger-ui-bundle.js", "swagger-ui.css"} <= sums.keys()
    assert {name: hashlib.sha256((SWAGGER / name).read_bytes()).hexdigest() for name in sums} == sums
    assert {one.name for one in SWAGGER.iterdir()} == {*sums, "SHA256SUMS", "init.js"}


def test_the_pages_need_nothing_from_elsewhere(asked: Face) -> None:
    page = asked.get("/docs")
    assert page.status_code == 200
    assert not re.search(r"https?://", page.text)
    assert not re.search(r"<script(?![^>]*src=)", page.text), "no script stands in the page"
    assert not re.search(r"\son\w+=|style=", page.text)
    parts = re.findall(r'(?:src|href|data-url)="([^"]+)"', page.text)
    assert len(parts) >= 4
    for part in parts:
        assert asked.get(part).status_code == 200, part


def test_the_start_leads_to_the_dashboard(asked: Face) -> None:
    answer = asked.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/ui/")
