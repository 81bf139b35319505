"""Do the requests that docs/reporting.md tells to type get the answers that it shows?"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2

from tests.bearers import bearer
from tests.e2e.daemon import ROOT
from tests.e2e.test_http_live import free_port, wait_for
from tests.world import World

PAGE = (Path(ROOT) / "docs" / "reporting.md").read_text(encoding="utf-8")
EXAMPLE = re.compile(r"```sh\n(curl [^`]*?)```\n\nanswers (\d{3}) with\n\n```json\n(.*?)```", re.DOTALL)
MANIFESTS = re.compile(r"```yaml\n(.*?)```", re.DOTALL)


def shows(shown: Any, answered: Any) -> bool:
    """Whether everything that is shown was answered; answers are shortened."""
    if isinstance(shown, dict) and isinstance(answered, dict):
        return all(key in answered and shows(value, answered[key]) for key, value in shown.items())
    return bool(shown == answered)


def test_every_example_is_answered_as_it_is_shown(tmp_path: Path) -> None:
    world = World(tmp_path)
    manifests = MANIFESTS.search(PAGE)
    assert manifests is not None
    world.commit("Begin", {"places.yaml": manifests[1]})
    world.settle()
    assert world.complaints() == []
    url, port = world.settings["state"]["url"], free_port()
    tokens = {
        "TOKEN": bearer(url, "report", now=world.now, name="ci@example.com"),
        "APPROVER": bearer(url, "approve", now=world.now, name="quinn@example.com"),
    }
    config = tmp_path / "reconciler.yaml"
    config.write_text(json.dumps({**world.settings, "api": {"listen": f"127.0.0.1:{port}"}}))
    command = [sys.executable, "-m", "reconciler", "serve", "--config", str(config)]
    examples = EXAMPLE.findall(PAGE)
    assert len(examples) == PAGE.count("\nanswers ") >= 9
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
                wait_for(lambda: client.get("/healthz").status_code == 200, "it is served")
            for typed, status, shown in examples:
                told = typed.replace("127.0.0.1:8080", f"127.0.0.1:{port}").rstrip()
                done = subprocess.run(
                    ["/bin/sh", "-c", f"{told} --noproxy '*' -w '\\n%{{http_code}}'"],
                    env={**os.environ, **tokens},
                    capture_output=True,
                    text=True,
                    check=True,
                )
                body, _, answered = done.stdout.rpartition("\n")
                assert answered == status, f"{typed}{body}"
                assert shows(json.loads(shown), json.loads(body)), f"{typed}{body}"
        finally:
            process.terminate()
