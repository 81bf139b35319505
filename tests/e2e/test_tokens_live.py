"""The real command makes, shows and ends tokens, and the process that serves believes it at once."""

from __future__ import annotations

import json
import subprocess
import sys

import httpx2

from tests.e2e.daemon import PATIENCE, ROOT, Live
from tests.e2e.test_http_live import free_port, wait_for
from tests.stores import content

EVENT = {"product_name": "till", "version": "1.0", "environment_name": "moon", "status": "success"}


def typed(live: Live, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "reconciler", *arguments, "--config", str(live.config)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_tokens_from_the_command_to_the_api(live: Live) -> None:
    port = free_port()
    live.settings["api"] = {"listen": f"127.0.0.1:{port}", "read": "token"}
    live.start_repository()
    live.start()
    live.wait_for(lambda: live.everywhere("one"), "the first version runs")
    made = typed(
        live, "tokens", "create", "--name", "ci@example.com", "--scope", "report", "--actor", "ann@example.com"
    )
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    assert len(token) == 60
    assert "shown only now" in made.stderr
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE, trust_env=False) as client:
        wait_for(lambda: client.get("/healthz").status_code == 200, "it is served")
        client.headers["Authorization"] = f"Bearer {token}"
        assert client.post("/deployment-events/", json=EVENT).status_code == 201
        assert client.post("/apps/shop/resume", json={}).status_code == 403
        assert client.get("/status").status_code == 200
        (shown,) = json.loads(typed(live, "tokens", "list", "-o", "json").stdout)
        assert (shown["name"], shown["scopes"], shown["state"]) == ("ci@example.com", ["report"], "valid")
        assert (shown["created_by"], shown["used_at"] is not None) == ("ann@example.com", True)
        ended = typed(live, "tokens", "revoke", shown["id"], "--actor", "ann@example.com")
        assert ended.returncode == 0, ended.stderr
        refused = client.get("/status")
        assert (refused.status_code, refused.json()["detail"]) == (401, "this token is revoked")
        again = typed(live, "tokens", "revoke", shown["id"])
        assert (again.returncode, "was revoked before" in again.stderr) == (1, True)
    facts = [json.loads(line) for line in typed(live, "audit", "export").stdout.splitlines()]
    about = [(one["kind"], one["actor"]) for one in facts if one["kind"].startswith(("token.", "report."))]
    assert about == [
        ("token.created", "ann@example.com"),
        ("report.started", "ci@example.com"),
        ("report.completed", "ci@example.com"),
        ("token.revoked", "ann@example.com"),
    ]
    assert typed(live, "audit", "verify").returncode == 0
    secret = token[17:]
    assert secret.encode() not in content(live.settings["state"]["url"])
    assert secret not in live.log + json.dumps(facts)


def test_wrong_use(live: Live) -> None:
    live.start_repository()
    live.settle()
    live.config.write_text(json.dumps(live.settings))
    for words, status, said in (
        (("create", "--name", "x"), 2, "--scope"),
        (("create", "--name", "x", "--scope", "everything"), 2, "everything"),
        (("create", "--name", "x", "--scope", "read", "--role", "qa"), 2, "--scope approve"),
        (("create", "--name", "x", "--scope", "read", "--expires", "2020-01-01T00:00:00Z"), 2, "is over"),
        (("create", "--name", "a\nb", "--scope", "read"), 2, "not one line"),
        (("create", "--name", "", "--scope", "read"), 2, "Invalid value for --name: it is empty. Say in one line"),
        (("revoke", "nobody's"), 1, "there is no token"),
    ):
        done = typed(live, "tokens", *words)
        assert (done.returncode, said in done.stderr) == (status, True), (words, done.stderr)
        assert done.stdout == ""
