"""Stand-ins for GitHub and GitLab: they keep statuses and deployments, and refuse what their published APIs refuse.

Every request is held against the description of its operation in `tests/data`; a request that is not in it is answered
with 404, one of another shape with 422 (GitHub) or 400 (GitLab), and a test then finds it among `refused`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import jsonschema_rs

from tests.receiver import Answer, Receiver, Request

DATA = Path(__file__).parent / "data"
TOKEN = "s3cret-of-the-forge"


class StandIn:
    """What both have in common."""

    wrong_shape = 422

    def __init__(self, description: str) -> None:
        told = json.loads((DATA / description).read_text())
        self._operations = [
            (re.compile("^" + re.sub(r"\{[^}]+\}", "([^/]+)", path) + "$"), path, method.upper(), one)
            for path, methods in told["paths"].items()
            for method, one in methods.items()
        ]
        self.statuses: list[dict[str, Any]] = []
        self.deployments: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.calls: list[str] = []
        self.lose_next = 0
        """So many changes are made without an answer that says so."""
        self.limited = 0
        """So many requests are answered with a limit."""
        self.receiver = Receiver(self._answer)
        self.url = f"http://127.0.0.1:{self.receiver.port}"

    def close(self) -> None:
        """Answer no more."""
        self.receiver.close()

    def _answer(self, request: Request) -> Answer:
        split = urlsplit(request.path)
        if not self.knows(request):
            self.refused.append(f"{request.method} {request.path}: no token")
            return Answer(401)
        if self.limited:
            self.limited -= 1
            return Answer(429, headers={"Retry-After": "7"})
        for pattern, path, method, one in self._operations:
            found = pattern.match(self.inside(split.path))
            if found and method == request.method:
                query = dict(parse_qsl(split.query))
                body = json.loads(request.body) if request.body else None
                wrong = self._wrong(one, query, body)
                if wrong:
                    self.refused.append(f"{method} {path}: {wrong}")
                    return Answer(self.wrong_shape, {"message": wrong})
                self.calls.append(f"{method} {path}")
                return self._taken(path, method, [unquote(part) for part in found.groups()], query, body)
        self.refused.append(f"{request.method} {request.path}: there is no such operation")
        return Answer(404)

    def _wrong(self, one: dict[str, Any], query: dict[str, str], body: Any) -> str:
        if set(query) - set(one["query"]):
            return f"unknown parameters {sorted(set(query) - set(one['query']))}"
        if "body" in one:
            try:
                jsonschema_rs.validator_for(one["body"]).validate(body)
            except jsonschema_rs.ValidationError as error:
                return str(error).splitlines()[0]
        return ""

    def _taken(self, path: str, method: str, names: list[str], query: dict[str, str], body: Any) -> Answer:
        answer = self.take(path, method, names, query, body)
        if method != "GET" and self.lose_next:
            self.lose_next -= 1
            return Answer(500)
        return answer

    def knows(self, request: Request) -> bool:
        """Whether the token is right."""
        raise NotImplementedError

    def inside(self, path: str) -> str:
        """The path below the API's."""
        raise NotImplementedError

    def take(self, path: str, method: str, names: list[str], query: dict[str, str], body: Any) -> Answer:
        """Do what was asked for."""
        raise NotImplementedError

    def told(self, deployment: int) -> list[str]:
        """How a deployment fared, one state after the other."""
        return [str(state) for state in self.deployments[deployment]["states"]]


class GitHubStandIn(StandIn):
    """GitHub."""

    def __init__(self) -> None:
        super().__init__("github-api.json")

    def knows(self, request: Request) -> bool:
        return request.headers.get("authorization") == f"Bearer {TOKEN}"

    def inside(self, path: str) -> str:
        return path

    def take(self, path: str, method: str, names: list[str], query: dict[str, str], body: Any) -> Answer:
        if path.endswith("/statuses/{sha}"):
            self.statuses.append({"sha": names[2], **body})
            return Answer(201, {"id": len(self.statuses)})
        if path.endswith("/{deployment_id}/statuses"):
            self.deployments[int(names[2]) - 1]["states"].append(body["state"])
            self.deployments[int(names[2]) - 1].update(url=body.get("environment_url", ""))
            return Answer(201, {"id": 1})
        if method == "GET":
            fitting = [one for one in self.deployments if one["environment"] == query["environment"]]
            return Answer(200, [one for one in fitting if one["ref"] == query["sha"]][::-1])
        self.deployments.append({"id": len(self.deployments) + 1, "states": [], **body})
        return Answer(201, {"id": len(self.deployments)})


class GitLabStandIn(StandIn):
    """GitLab."""

    wrong_shape = 400

    def __init__(self) -> None:
        super().__init__("gitlab-api.json")
        self.url += "/api/v4"

    def knows(self, request: Request) -> bool:
        return request.headers.get("private-token") == TOKEN

    def inside(self, path: str) -> str:
        return path.removeprefix("/api/v4")

    def take(self, path: str, method: str, names: list[str], query: dict[str, str], body: Any) -> Answer:
        if path.endswith("/statuses/{sha}"):
            same = [one for one in self.statuses if (one["sha"], one["name"]) == (names[1], body["name"])]
            if same and same[-1]["state"] == body["state"]:
                return Answer(400, {"message": f"Cannot transition status via :x from :{body['state']}"})
            self.statuses.append({"sha": names[1], **body})
            return Answer(201, {"id": len(self.statuses)})
        if method == "PUT":
            self.deployments[int(names[1]) - 1]["states"].append(body["status"])
            return Answer(200, {"id": int(names[1])})
        if method == "GET":
            fitting = [one for one in self.deployments if one["environment"] == query["environment"]]
            return Answer(200, fitting[::-1])
        self.deployments.append({"id": len(self.deployments) + 1, "states": [body["status"]], **body})
        return Answer(201, {"id": len(self.deployments)})
