"""Somebody who reports deployments that are made elsewhere, and people who approve them, in a world with gates."""

from __future__ import annotations

from typing import Any

from httpx2 import Response

from tests.bearers import bearer, header
from tests.http_asking import PROBLEM, Face
from tests.world import World

GATED = """\
---
apiVersion: reconciler/v1
kind: Environment
metadata: {name: staging}
spec: {track: latest, target: {type: directory, path: releases/staging}}
---
apiVersion: reconciler/v1
kind: Environment
metadata: {name: shopfront}
spec:
  track: staging
  target: {type: directory, path: releases/shopfront}
  gates: {soak: 2h, approvals: {qa: 1}}
---
apiVersion: reconciler/v1
kind: Environment
metadata: {name: tried}
spec:
  track: staging
  target: {type: directory, path: releases/tried}
  gates: {soak: 2h, approvals: 1, mode: report}
---
apiVersion: reconciler/v1
kind: Environment
metadata: {name: careful}
spec: {track: latest, target: {type: directory, path: releases/careful}, gates: {approvals: 1}}
---
apiVersion: reconciler/v1
kind: Freeze
metadata: {name: stocktaking}
spec:
  environments: [careful, shopfront]
  from: "2026-06-02T00:00:00Z"
  until: "2026-06-03T00:00:00Z"
  allow: [hotfix]
  reason: shelves are being counted
"""


def begin(world: World) -> None:
    world.start_repository()
    world.commit("Places", {"places.yaml": GATED})
    world.settle()


class Reporter:
    """Somebody who reports to a face, and approves."""

    def __init__(self, asked: Face, world: World) -> None:
        self.asked, self.world = asked, world
        url = world.settings["state"]["url"]
        self.tokens = {
            "ci": bearer(url, "report", now=world.now, name="ci"),
            "boss": bearer(url, "report", "operate", now=world.now, name="boss@example.com"),
            "qa": bearer(url, "approve", now=world.now, name="quinn@example.com", roles=("qa",)),
            "dev": bearer(url, "approve", now=world.now, name="Dev@example.com", roles=("qa",)),
        }

    def tell(self, status: str, where: str, version: str = "2.0", *, by: str = "ci", **said: Any) -> Response:
        event = {"product_name": "till", "version": version, "environment_name": where, "status": status}
        more = {"deployed_by": "dev@example.com", **said}
        return self.asked.client.post("/deployment-events/", json={**event, **more}, headers=header(self.tokens[by]))

    def refused(self, status: int, where: str, **said: Any) -> dict[str, Any]:
        """The problem document of a start that is refused so."""
        answer = self.tell("started", where, **said)
        assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM), answer.text
        found: dict[str, Any] = answer.json()
        if found["retry_after"] is not None:
            assert int(answer.headers["retry-after"]) >= found["retry_after"]
        return found

    def done(self, where: str, **said: Any) -> None:
        """A deployment that was made from its start to its end."""
        for status in ("started", "success"):
            answer = self.tell(status, where, **said)
            assert answer.status_code == 201, answer.text

    def approve(self, by: str, what: str, **said: Any) -> Response:
        return self.asked.client.post("/approvals", json={"id": what, **said}, headers=header(self.tokens[by]))

    def facts(self) -> list[tuple[str, str]]:
        """What the ledger has of the app `till`, oldest first: kind and actor."""
        return [(one["kind"], one["actor"]) for one in self.asked.all("/ledger?app=till")][::-1]
