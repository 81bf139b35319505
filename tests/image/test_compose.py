"""Does `deploy/compose.yaml` bring up two daemons on PostgreSQL, of which either may go?

The file is taken as it stands but for what would meet others on this machine: the published port is left out, the
desired repository is mounted, and the image is the one that the other tests try.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.gitrepo import Repo
from tests.image.engine import ROOT, Container, built, compose, engine, until

ENVIRONMENT = (
    "apiVersion: reconciler/v1\nkind: Environment\nmetadata: {name: live}\nspec: {target: {type: directory}}\n"
)
APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: shop}
spec: {bundle: bundle, environments: [live]}
"""
DAEMONS = ("reconciler", "another")


@pytest.fixture
def desired(tmp_path: Path) -> Repo:
    repo = Repo.create(tmp_path / "desired")
    repo.write({"live.yaml": ENVIRONMENT, "shop/shop.yaml": APP, "shop/bundle/index.html": "one"}).commit("One")
    repo.bare()
    repo.push()
    return repo


@pytest.fixture
def services(tmp_path: Path, desired: Repo) -> Iterator[dict[str, Container]]:
    assert desired.origin is not None
    image = built()
    declared = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    declared["name"] = project = f"reconciler-test-{tmp_path.name.strip('_').lower()}"
    for name in DAEMONS:
        service = declared["services"][name]
        service.pop("ports", None)
        service |= {"image": image, "volumes": [*service["volumes"], f"{desired.origin.path}:/desired.git:ro"]}
        del service["build"]
    for name, service in declared["services"].items():
        service["container_name"] = f"{project}-{name}"
    place = tmp_path / "compose"
    place.mkdir()
    (place / "compose.yaml").write_text(yaml.safe_dump(declared))
    (place / ".env").write_text("REPOSITORY=/desired.git\nPOSTGRES_PASSWORD=p@ss/w:rd\n")
    containers = {name: Container(f"{project}-{name}") for name in declared["services"]}
    try:
        compose("up", "--detach", directory=place)
        yield containers
    finally:
        print(*(f"{name}:\n{one.log()}" for name, one in containers.items()), sep="\n")
        compose("down", "--volumes", directory=place)


def test_two_daemons_share_the_work_and_either_may_go(services: dict[str, Container], desired: Repo) -> None:
    first, second = (services[name] for name in DAEMONS)
    for one in (first, second):
        until(one.healthy, "both are healthy")
    until(lambda: released(first) == ["v1"], "the first version is released")
    assert released(second) == ["v1"]
    until(lambda: lives(second, 2), "one of two leads")

    desired.write({"shop/bundle/index.html": "two"}).commit("Two")
    desired.push()
    until(lambda: released(second) == ["v2", "v1"], "the second version is released")

    engine("stop", first.name)
    assert first.inspected("{{.State.ExitCode}}") == "0"
    desired.write({"shop/bundle/index.html": "three"}).commit("Three")
    desired.push()
    until(lambda: released(second) == ["v3", "v2", "v1"], "the other one goes on alone")

    engine("start", first.name)
    until(lambda: first.healthy() and lives(first, 2), "it is back")
    engine("kill", second.name)
    desired.write({"shop/bundle/index.html": "four"}).commit("Four")
    desired.push()
    until(lambda: released(first) == ["v4", "v3", "v2", "v1"], "what was killed is given up, and the work goes on")


def released(container: Container) -> list[str]:
    """Versions whose deployments are completed, the newest first."""
    done = container.exec("reconciler", "deployments", "list", "--status=completed", "--output=json", check=False)
    found = json.loads(done.stdout) if done.returncode == 0 else []
    return [f"v{one['traffic'][0]['number']}" for one in found]


def lives(container: Container, number: int) -> bool:
    """Whether `reconciler doctor` knows of so many daemons, and that one of them leads."""
    said = container.exec("reconciler", "doctor", check=False).stdout
    return f"{number} daemon" in said and "(leads)" in said
