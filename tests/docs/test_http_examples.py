"""Do the requests that docs/http.md tells to type get the answers that it shows, one after the other?"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.bearers import bearer
from tests.browser.serving import served
from tests.docs.test_http_page import PATHS, SCHEMAS
from tests.docs.test_reporting_examples import shows
from tests.world import ENVIRONMENTS, World

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "http.md").read_text(encoding="utf-8")
SECTIONS = [one.partition("\n#")[0].partition("\n") for one in PAGE.split("\n### ") if one.startswith("POST ")]
EXAMPLE = re.compile(r"```sh\n(curl [^`]*?)```\n\nanswers (\d{3}) with\n\n```json\n(.*?)```", re.DOTALL)
GATED = ENVIRONMENTS.replace("spec: {track: pre-release", "spec: {gates: {approvals: 1}, track: pre-release").replace(
    "spec: {track: latest", "spec: {rollout: {steps: [50, 100], interval: 1h}, track: latest"
)
Values = dict[str, str]


class Story:
    """What lies between the examples: `values` are the variables that they name."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.start_repository()
        world.commit("Gates", {"environments.yaml": GATED})
        self.settle()

    def settle(self) -> Values:
        """Let all be done that can be, and rollouts end."""
        self.world.settle()
        self.world.later(hours=2)
        self.world.settle()
        return {}

    def change(self) -> Values:
        """A new version, on its way into the sandbox."""
        self.world.commit("Two", {"shop/index.html": "two"})
        self.world.settle()
        return {"ID": self.world.history(environment="sandbox")[-1].id}

    def stopped(self) -> Values:
        """The deployment that was to be stopped is."""
        self.settle()
        return {"ID": next(one.id for one in self.world.history(environment="sandbox") if one.status == "aborted")}

    def back(self, approve: Callable[[], None]) -> Values:
        """The new version runs in live, too."""
        self.settle()
        approve()
        self.settle()
        return {"ID": self.world.history(environment="live")[-1].id}

    def rewritten(self) -> Values:
        """The branch was rewritten, and its head is held."""
        self.settle()
        self.world.repo.git("reset", "--hard", "HEAD~1")
        self.world.commit("Rewritten", {"shop/index.html": "three"}, push=False)
        self.world.repo.git("push", "--force", "origin", "main")
        self.settle()
        return {"SHA": self.world.repo.head}


def test_every_example_is_answered_as_it_is_shown(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.settings["api"] = {"listen": "127.0.0.1:0"}
    story = Story(world)
    url = world.settings["state"]["url"]
    token = bearer(url, "approve", "operate", now=world.now, name="ann@example.com")
    examples = {heading: found for heading, _, text in SECTIONS for found in EXAMPLE.findall(text)}
    assert len(examples) == PAGE.count("\nanswers ") == len(SECTIONS) == 10
    with served(world) as face:

        def type_in(typed: str, values: Values) -> tuple[str, Any]:
            told = typed.replace("http://127.0.0.1:8080", face.url).rstrip()
            done = subprocess.run(
                ["/bin/sh", "-c", f"{told} --noproxy '*' -w '\\n%{{http_code}}'"],
                env={**os.environ, "TOKEN": token, **values},
                capture_output=True,
                text=True,
                check=True,
            )
            body, _, answered = done.stdout.rpartition("\n")
            return answered, json.loads(body)

        def approve() -> None:
            answered, body = type_in(examples["POST /approvals"][0], {})
            assert answered == "202", body

        before: dict[str, Callable[[], Values]] = {
            "POST /deployments/{id}/abort": story.change,
            "POST /deployments/{id}/retry": story.stopped,
            "POST /apps/{app}/environments/{environment}/promote": lambda: story.back(approve),
            "POST /apps/{app}/environments/{environment}/rollback": lambda: story.back(lambda: None),
            "POST /commits/{sha}/accept": story.rewritten,
        }
        for heading, (typed, status, shown) in examples.items():
            values = before.get(heading, story.settle)()
            answered, body = type_in(typed, values)
            assert (answered, shows(json.loads(shown), body)) == (status, True), f"{heading}\n{typed}{body}"


@pytest.mark.parametrize(("heading", "section"), [(heading, section) for heading, _, section in SECTIONS])
def test_every_field_of_a_body_is_told(heading: str, section: str) -> None:
    body = PATHS[heading.removeprefix("POST ")]["post"]["requestBody"]["content"]["application/json"]["schema"]
    for field in SCHEMAS[body["$ref"].rpartition("/")[2]]["properties"]:
        assert f"`{field}`" in section or field in ("reason", "expected"), f"{heading} does not tell of {field}"
