"""A run that ends as soon as all is done: does it end the processes beside it without calling that a failure?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import Told
from tests.e2e.daemon import environment_manifest
from tests.world import app_manifest


@pytest.mark.parametrize("count", [30, 60])
def test_processes_that_were_only_beginning_when_all_was_done_are_no_trouble(tmp_path: Path, count: int) -> None:
    told = Told(tmp_path)
    names = [f"app-{number:02}" for number in range(count)]
    manifests = {f"{name}.yaml": app_manifest(name, bundle="page", environments=["live"]) for name in names}
    environments = environment_manifest("live", "latest", concurrency=50)
    told.commit("Begin", {"environments.yaml": environments, "page/index.html": "one", **manifests})
    done = told.type("run", "--once")
    assert done.status == 0, done.err
    assert {told.runs("live", app=name) for name in names} == {"one"}
    assert "deployment.alone" not in done.err
