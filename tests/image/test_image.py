"""Does the image do what docs/image.md says: with a read-only root, no privileges, and no network?"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gitrepo import Repo
from tests.image.engine import HARDENED, STATE, Container, built, engine, until
from tests.signing import Signed, Smith, ada, grace, smith

__all__ = ["ada", "grace", "smith"]

LIVE = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {name: live}
spec:
  target: {type: exec, command: [sh, ./deploy.sh], env: [PATH]}
"""
SHOP = """\
apiVersion: reconciler/v1
kind: App
metadata: {name: shop}
spec:
  bundle: bundle
  environments: [live]
"""
LEAVES_ONE_BEHIND = "(sleep 0.2; sleep 0.2) &\necho done\n"
TAKES_ITS_TIME = "echo begun > /tmp/begun; sleep 300\n"
CACHES = "/root/.cache /home/reconciler/.cache /var/lib/apt/lists/* /var/cache/apt/archives/*.deb /build"


@pytest.fixture(scope="session")
def image() -> str:
    return built()


@pytest.fixture
def desired(tmp_path: Path) -> Repo:
    repo = Repo.create(tmp_path / "desired")
    repo.write({"live.yaml": LIVE, "shop/shop.yaml": SHOP, "shop/bundle/deploy.sh": LEAVES_ONE_BEHIND})
    repo.commit("The shop")
    repo.bare()
    repo.push()
    return repo


@pytest.fixture
def running(image: str, desired: Repo) -> Iterator[Container]:
    with started(image, desired) as container:
        yield container


@contextmanager
def started(image: str, desired: Repo, *options: str) -> Iterator[Container]:
    """A container as hardened as can be, which follows a repository that belongs to somebody else."""
    assert desired.origin is not None
    name = f"reconciler-test-{time.monotonic_ns()}"
    volumes = (f"--volume={name}:{STATE}", f"--volume={desired.origin.path}:/desired.git:ro")
    settings = ("--env=RECONCILER_REPOSITORY__URL=/desired.git", "--env=RECONCILER_DRAIN=2s")
    engine("run", "--detach", f"--name={name}", "--network=none", *HARDENED, *volumes, *settings, *options, image)
    container = Container(name)
    try:
        yield container
    finally:
        print(container.log())  # pytest shows it where a test failed
        engine("rm", "--force", "--volumes", name, check=False)
        engine("volume", "rm", "--force", name, check=False)


def test_it_holds_what_runs_and_nothing_else(image: str) -> None:
    history = engine("history", "--no-trunc", "--format={{.CreatedBy}}", image).stdout
    assert not [word for word in ("pip.conf", "index-url", "PASSWORD", "TOKEN", "SECRET") if word in history]
    script = f"ls -d {CACHES} 2>/dev/null; command -v gcc pip; find /opt/reconciler -name pip -o -writable -type f"
    left = engine("run", "--rm", "--network=none", "--entrypoint=sh", image, "-c", script, check=False)
    assert left.stdout == ""
    assert engine("run", "--rm", "--network=none", "--entrypoint=id", image, "-u").stdout == "10001\n"
    size = int(engine("image", "inspect", "--format={{.Size}}", image).stdout)
    print(f"\n{image}: {size / 1e6:.0f} MB")


def test_it_releases_is_healthy_and_leaves_no_process_behind(running: Container) -> None:
    started = time.monotonic()
    until(running.healthy, f"it is healthy: {running.log()}")
    print(f"\nhealthy after {time.monotonic() - started:.1f} s")
    until(lambda: status_of(running) == "completed", "the shop is released")
    assert running.processes()[0].startswith("tini ")
    running.exec("reconciler", "doctor")
    until(lambda: running.zombies() == [], "what a command left behind is taken in")
    assert running.exec("touch", "/home/reconciler/x", check=False).returncode != 0


def test_without_http_it_is_healthy_as_long_as_the_daemon_lives(image: str, desired: Repo) -> None:
    with started(image, desired, "--env=RECONCILER_API__LISTEN=off") as quiet:
        until(quiet.healthy, f"it is healthy: {quiet.log()}")
        assert quiet.exec("reconciler", "health").stdout == "the daemon lives; api.listen is off\n"


def test_from_outside_reading_needs_a_token_that_is_made_inside(running: Container) -> None:
    until(running.healthy, "it is healthy")
    assert running.asked("/readyz")[0] == 200
    refused, problem = running.asked("/status")
    assert (refused, json.loads(problem)["status"]) == (401, 401)
    create = ("tokens", "create", "--name=ada@example.org", "--scope=read", "--actor=ada@example.org")
    token = running.exec("reconciler", *create).stdout.strip()
    until(lambda: status_of(running) == "completed", "the shop is released")
    answered, body = running.asked("/status", token)
    assert (answered, json.loads(body)[0]["app"]) == (200, "shop")
    # Pages need files that are no code.
    assert "<form" in running.asked("/ui/sign-in")[1]
    assert "swagger" in running.asked("/docs", token)[1]


def test_it_ends_when_told_and_goes_on_where_it_was(running: Container, desired: Repo) -> None:
    until(lambda: status_of(running) == "completed", "the shop is released")
    desired.write({"shop/bundle/deploy.sh": TAKES_ITS_TIME}).commit("Slowly")
    desired.push()
    until(lambda: running.exec("test", "-e", "/tmp/begun", check=False).returncode == 0, "the second one has begun")
    before = running.reconciler("deployments", "list")

    began = time.monotonic()
    engine("stop", "--time=40", running.name)
    took = time.monotonic() - began
    print(f"\nended {took:.1f} s after TERM, with a deployment under way and a drain of 2 s")
    assert running.inspected("{{.State.ExitCode}}") == "0"
    assert took < 20, running.log()

    engine("start", running.name)
    until(lambda: running.exec("test", "-e", "/tmp/begun", check=False).returncode == 0, "it is taken up again")
    after = running.reconciler("deployments", "list")
    assert [(one["id"], one["number"]) for one in after] == [(one["id"], one["number"]) for one in before]
    assert after[0]["status"] == "started"


def test_a_signal_reaches_the_daemon_itself(running: Container) -> None:
    until(running.healthy, "it is healthy")
    engine("kill", "--signal=TERM", running.name)
    engine("wait", running.name, timeout=60)
    assert running.inspected("{{.State.ExitCode}}") == "0"
    assert '"ended"' in running.log()


def test_a_backup_made_inside_comes_back(running: Container) -> None:
    until(lambda: status_of(running) == "completed", "the shop is released")
    running.exec("reconciler", "backup", "--force", "state/monday.backup")
    before = running.reconciler("deployments", "list")
    engine("stop", running.name)
    again = (
        "--network=none",
        *HARDENED,
        f"--volumes-from={running.name}",
        "--env=RECONCILER_REPOSITORY__URL=/desired.git",
    )
    image = running.inspected("{{.Config.Image}}")
    engine("run", "--rm", *again, image, "restore", "--force", "state/monday.backup")
    engine("start", running.name)
    until(running.healthy, "it is healthy")
    assert running.reconciler("deployments", "list") == before


def test_it_has_what_verifies_signatures(image: str, tmp_path: Path, smith: Smith, ada: str, grace: str) -> None:
    desired = Repo.create(tmp_path / "desired")
    signed = Signed(desired, smith)
    gated = LIVE.replace("target:", "gates: {signed: true}\n  target:")
    desired.write({"live.yaml": gated, "shop/shop.yaml": SHOP, "shop/bundle/deploy.sh": "echo one"})
    desired.git("add", "--all")
    signed.gpg("One, signed with gpg", grace)
    desired.bare()
    desired.push()
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "gpg.asc").write_bytes(smith.exported().read_bytes())
    (keys / "allowed").write_text(f"ada@example.org {ada}\n")
    settings = ("--env=RECONCILER_SIGNERS__GPG=/keys/gpg.asc", "--env=RECONCILER_SIGNERS__SSH=/keys/allowed")
    with started(image, desired, f"--volume={keys}:/keys:ro", *settings) as container:
        until(lambda: status_of(container) == "completed", "what gpg signed is released")
        desired.write({"shop/bundle/deploy.sh": "echo two"}).commit("Two, signed by nobody")
        desired.push()
        until(lambda: "signature" in container.exec("reconciler", "status").stdout, "the gate asks for a signature")
        desired.write({"shop/bundle/deploy.sh": "echo three"}).git("add", "--all")
        signed.ssh("Three, signed with ssh")
        desired.push()
        until(lambda: newest(container) == 3, "what ssh signed is released")
        assert [one["traffic"][0]["number"] for one in container.reconciler("deployments", "list")] == [3, 1]


def newest(container: Container) -> int:
    """The number of the version that was deployed last."""
    found: int = container.reconciler("deployments", "list")[0]["traffic"][0]["number"]
    return found


def status_of(container: Container) -> str:
    """How the newest deployment stands; nothing before there is one."""
    done = container.exec("reconciler", "deployments", "list", "--output=json", check=False)
    found = json.loads(done.stdout) if done.returncode == 0 else []
    return found[0]["status"] if found else ""
