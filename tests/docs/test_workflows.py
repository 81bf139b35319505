"""Can the workflows under `docs` be copied as they are: valid, pinned, harmless, and doing what they say?"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.cli import reviewed
from tests.gitrepo import Repo
from tests.world import ENVIRONMENTS, app_manifest

DOCS = Path(__file__).parents[2] / "docs"
GITHUB, GITLAB = DOCS / "github-actions.yaml", DOCS / "gitlab-ci.yaml"
MARKER = "<!-- reconciler: what merging this does -->"


def loaded(file: Path) -> dict[Any, Any]:
    """A workflow; `on` is a key that YAML 1.1 reads as true."""
    read: dict[Any, Any] = yaml.safe_load(file.read_text())
    return read


@pytest.mark.parametrize(("file", "schema"), [(GITHUB, "vendor.github-workflows"), (GITLAB, "vendor.gitlab-ci")])
def test_the_forge_would_take_it(file: Path, schema: str) -> None:
    options = ["--builtin-schema", schema, "--no-cache", str(file)]
    command = [sys.executable, "-m", "check_jsonschema", *options]
    if schema == "vendor.gitlab-ci":
        command += ["--data-transform", "gitlab-ci"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_action_is_pinned_to_a_commit() -> None:
    used = re.findall(r"uses: (\S+)( # v\d+\.\d+\.\d+)?$", GITHUB.read_text(), re.MULTILINE)
    assert len(used) == GITHUB.read_text().count("uses:") == 4
    for action, version in used:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", action)
        assert version


def test_permissions_are_the_least_and_forks_get_none() -> None:
    workflow = loaded(GITHUB)
    assert set(workflow[True]) == {"pull_request"}
    assert workflow["permissions"] == {}
    plan, comment = workflow["jobs"]["plan"], workflow["jobs"]["comment"]
    assert plan["permissions"] == {"contents": "read"}
    assert comment["permissions"] == {"pull-requests": "write"}
    assert "head.repo.full_name == github.repository" in comment["if"]
    assert not any("checkout" in step.get("uses", "") for step in comment["steps"])
    assert "secrets." not in GITHUB.read_text()


def test_nothing_from_outside_becomes_shell_text() -> None:
    for job in loaded(GITHUB)["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


def test_the_marker_is_the_one_that_comments_begin_with() -> None:
    assert reviewed.MARKER == MARKER
    assert GITHUB.read_text().count(MARKER) == 2
    assert GITLAB.read_text().count(MARKER) == 1


@pytest.mark.parametrize(("change", "status"), [("two", 0), (None, 1)])
def test_the_steps_of_the_plan_do_what_they_say(tmp_path: Path, change: str | None, status: int) -> None:
    """The commands of the job, run by the shell that GitHub runs them with, on a checkout as it makes one."""
    base, head = repository(tmp_path / "desired", change)
    subprocess.run(["git", "clone", "--quiet", tmp_path / "desired", tmp_path / "checkout"], check=True)
    subprocess.run(["git", "checkout", "--quiet", "--detach", head], cwd=tmp_path / "checkout", check=True)
    subprocess.run(["git", "branch", "--quiet", "-D", "feature"], cwd=tmp_path / "checkout", check=True)
    ended = [ran(step["run"], tmp_path / "checkout", base, head) for step in commands() if "pip" not in step["run"]]
    assert ended == [0, status, status]
    comment = (tmp_path / "checkout" / "comment.md").read_text()
    assert comment.startswith(MARKER)
    assert (tmp_path / "summary").read_text() == comment
    assert ("| shop | sandbox | release |" in comment) == (status == 0)


def repository(place: Path, change: str | None) -> tuple[str, str]:
    """A desired repository with a branch that changes something, or breaks a manifest; base and head."""
    repo = Repo.create(place)
    base = repo.write(
        {"environments.yaml": ENVIRONMENTS, "shop.yaml": app_manifest(), "shop/index.html": "one"}
    ).commit("Begin")
    repo.checkout("feature", "main")
    files = {"shop/index.html": change} if change else {"shop.yaml": app_manifest().replace("bundle", "bundle_")}
    return base, repo.write(files).commit("Change")


def commands() -> list[dict[str, Any]]:
    """The steps that are commands."""
    return [step for step in loaded(GITHUB)["jobs"]["plan"]["steps"] if "run" in step]


def ran(script: str, place: Path, base: str, head: str) -> int:
    """The exit status of a step."""
    bash = shutil.which("bash") or "bash"
    environment = {
        "RECONCILER_REPOSITORY__URL": ".",
        "BASE": base,
        "HEAD": head,
        "GITHUB_STEP_SUMMARY": str(place.parent / "summary"),
    }
    return shell([bash, "--noprofile", "--norc", "-eo", "pipefail", "-c", script], place, environment)


def shell(command: list[str], place: Path, environment: dict[str, str]) -> int:
    """The exit status of a command that finds this reconciler."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    every = {**os.environ, "PATH": path, **environment}
    return subprocess.run(command, cwd=place, env=every, capture_output=True, check=False).returncode


def test_the_job_for_gitlab_keeps_one_note_up_to_date(tmp_path: Path) -> None:
    """Its commands on a checkout as GitLab makes one, and a server that keeps notes as GitLab does."""
    _, head = repository(tmp_path / "desired", "two")
    subprocess.run(["git", "clone", "--quiet", tmp_path / "desired", tmp_path / "checkout"], check=True)
    with notes() as (address, kept):
        for token in ("", "a-token", "a-token"):
            job = loaded(GITLAB)["reconciler"]
            lines = [line for line in job["before_script"] if line.startswith("git ")] + job["script"]
            environment = {
                "CI_API_V4_URL": address,
                "CI_PROJECT_ID": "7",
                "CI_MERGE_REQUEST_IID": "3",
                "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
                "CI_COMMIT_SHA": head,
                "RECONCILER_REPOSITORY__URL": ".",
                "RECONCILER_REPOSITORY__BRANCH": "main",
                "RECONCILE_NOTES_TOKEN": token,
            }
            assert shell(["sh", "-e", "-c", "\n".join(lines)], tmp_path / "checkout", environment) == 0
            assert len(kept) == (2 if token else 1)  # somebody else's, and ours
    comment = (tmp_path / "checkout" / "comment.md").read_text()
    assert comment.startswith(MARKER)
    assert kept == {1: f"{MARKER} somebody else's", 2: comment}


@contextmanager
def notes() -> Iterator[tuple[str, dict[int, str]]]:
    """Notes on a merge request, of which the first is somebody else's."""
    kept = {1: f"{MARKER} somebody else's"}

    class Answering(BaseHTTPRequestHandler):
        def answer(self, value: Any) -> None:
            assert self.headers["PRIVATE-TOKEN"] == "a-token"
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def said(self) -> str:
            text: str = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]
            return text

        def do_GET(self) -> None:
            listed = [{"id": n, "body": text, "author": {"id": 40 + n}} for n, text in kept.items()]
            self.answer({"id": 42} if self.path == "/user" else listed if self.path.endswith("&page=1") else [])

        def do_POST(self) -> None:
            kept[len(kept) + 1] = self.said()
            self.answer({})

        def do_PUT(self) -> None:
            kept[int(self.path.rpartition("/")[2])] = self.said()
            self.answer({})

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", kept
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
