"""`reconciler init`: a small desired state that is right, in a git repository of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import click

from reconciler.cli import asking, printing
from reconciler.errors import NotSo

FILES = {
    "environments.yaml": """\
# Environments form a chain: what completes in one is promoted to those that track it.
apiVersion: reconciler/v1
kind: Environment
metadata: {name: sandbox}
spec:
  track: latest
  target: {type: directory, path: releases/sandbox}
---
apiVersion: reconciler/v1
kind: Environment
metadata: {name: live}
spec:
  track: sandbox
  target: {type: directory, path: releases/live}
""",
    "hello.yaml": """\
# One thing that is released. `reconciler schema App` lists everything that can stand here.
apiVersion: reconciler/v1
kind: App
metadata: {name: hello}
spec:
  bundle: hello
  config: {greeting: Hello}
  environments:
    sandbox: {}
    live:
      config: {log_level: warn}
""",
    "hello/index.html": "<h1>Hello</h1>\n",
    "reconciler.yaml": """\
# Settings of the daemon that follows this repository, for `reconciler run` in this directory.
# On a server, give `url` the address that people push to.
repository: {url: ., branch: main}
state: {url: "sqlite:///state/reconciler.db"}
data: state
""",
    ".gitignore": "/state/\n",
}


@asking.verb
@click.argument("directory", type=click.Path(path_type=Path))
def command(directory: Path) -> None:
    """Make a desired repository to start from, in DIRECTORY."""
    _write(directory)
    _git(directory, "init", "--quiet", "--initial-branch=main")
    _git(directory, "add", "--all")
    _git(directory, *_identity(directory), "commit", "--quiet", "--message=Begin with one app in two environments")
    printing.echo(f"made {directory}: one app in two environments, committed")
    printing.echo()
    printing.echo("Next:")
    printing.echo(f"  cd {directory}")
    printing.echo("  reconciler validate     checks the manifests")
    printing.echo("  reconciler run          releases them and goes on following the branch")
    printing.echo("  reconciler status       shows what runs where, from another terminal")


def _write(directory: Path) -> None:
    try:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            raise NotSo(f"{directory} is there already and is not an empty directory", "name another directory")
        for name, text in FILES.items():
            file = directory / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise NotSo(f"{directory} cannot be made: {said}", "name another directory") from error


def _identity(directory: Path) -> list[str]:
    """Whoever git knows, else a name that says that nobody was known."""
    known = _run(directory, "config", "--get", "user.email").returncode == 0 or "GIT_AUTHOR_EMAIL" in os.environ
    unknown = ["-c", "user.name=reconciler init", "-c", "user.email=reconciler@localhost"]
    return [*([] if known else unknown), "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/dev/null"]


def _git(directory: Path, *arguments: str) -> None:
    done = _run(directory, *arguments)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["git said nothing"]
        raise NotSo(f"git could not make the repository: {said[0]}", f"the files are in {directory}")


def _run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    # Where a hook runs this, git must not take the hook's repository for this one.
    places = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_PREFIX"}
    environment = {name: value for name, value in os.environ.items() if name not in places}
    try:
        return subprocess.run(
            ["git", *arguments],
            cwd=directory,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise NotSo(f"git cannot be started: {error.strerror}", "install git 2.39 or newer") from error
