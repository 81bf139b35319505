"""A desired repository of any size: the same ids on every machine.

So many app-environments, each with a manifest of 40 lines and a bundle of two files, in sharded directories; four
environments, of which each takes the newest content. `Writer` adds commits that change one manifest or many, reverts,
and seasons.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

ENVIRONMENTS = ("dev", "staging", "preprod", "prod")
_ENVIRONMENT = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {{name: {name}}}
spec: {{track: latest, target: {{type: directory, path: releases/{name}}}, concurrency: 64}}
"""
_SEASON = """\
apiVersion: reconciler/v1
kind: Season
metadata: {{name: {name}}}
spec:
  apps: [{name}]
  environments: [{environment}]
  from: "{begin}"
  until: "{end}"
  config: {{GREETING: "Season's greetings"}}
"""


@dataclass(frozen=True, slots=True)
class Placed:
    """One app in one environment."""

    number: int

    @property
    def name(self) -> str:
        return f"a{self.number // 4:06d}-{self.environment}"

    @property
    def environment(self) -> str:
        return ENVIRONMENTS[self.number % 4]

    @property
    def directory(self) -> str:
        return f"apps/{self.number // 4 % 100:02d}/{self.name}"

    @property
    def path(self) -> str:
        return f"{self.directory}/app.yaml"

    def manifest(self, revision: int = 1) -> str:
        """Forty lines."""
        i, env = self.number // 4, self.environment
        return f"""\
apiVersion: reconciler/v1
kind: App
metadata:
  name: {self.name}
  labels:
    tier: {"gold" if i % 3 else "silver"}
    region: eu-west-{i % 3}
    cost-center: "{1000 + i % 500}"
spec:
  owner: team-{i % 97}@example.com
  bundle: site
  config:
    REVISION: {revision}
    LOG_LEVEL: {"DEBUG" if env == "dev" else "INFO"}
    REGION: eu-west-{i % 3}
    MAX_CONNECTIONS: {10 + i % 90}
    FEATURE_X: {"true" if i % 2 else "false"}
    HEALTH_URL: "http://127.0.0.1:8080/healthz"
    HEALTH_TIMEOUT_SECONDS: 5
    WORKERS: {i % 8 + 1}
    CACHE:
      backend: memory
      entries: 10000
      seconds: 300
    LIMITS:
      requests_per_second: {100 + i % 50}
      burst: 20
    FEATURES:
      - search
      - checkout
      - wishlist
  triggers:
    routes: []
    crons: []
  environments:
    {env}:
      config:
        STAGE: {env}
        REPLICAS: {i % 4 + 1}
        TRACING: false
        SAMPLING: 0.25
"""


class Writer:
    """Commits to a bare repository through one open `git fast-import`; commits are there once it is closed.

    They come after each other, the first of them after the commit `after`.
    """

    def __init__(self, path: Path, after: str | None = None) -> None:
        self._commits = 0
        self._after = after
        self._revisions: dict[int, list[int]] = {}
        if not path.exists():
            subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True)
            # As a server does that lets its clients filter.
            subprocess.run(["git", "-C", str(path), "config", "uploadpack.allowFilter", "true"], check=True)
        self._git = subprocess.Popen(
            ["git", "-C", str(path), "fast-import", "--quiet"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._git.stdin is not None
        assert self._git.stdout is not None
        self._in, self._out = self._git.stdin, self._git.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._in.close()
        if self._git.wait() != 0:
            raise RuntimeError("git fast-import failed")

    def begin(self, count: int) -> str:
        """The first commit: so many app-environments."""
        files = {f"environments/{name}.yaml": _ENVIRONMENT.format(name=name) for name in ENVIRONMENTS}
        for number in range(count):
            placed = Placed(number)
            files[placed.path] = placed.manifest()
            files[f"{placed.directory}/site/index.html"] = f"<h1>{placed.name}</h1>\n" * 10
            files[f"{placed.directory}/site/settings.json"] = '{"timeout": 30}\n'
        return self.commit("Begin", files)

    def commit(self, message: str, files: dict[str, str]) -> str:
        """Commit files; the id."""
        self._commits += 1
        said = message.encode()
        self._in.write(b"commit refs/heads/coming\nmark :%d\n" % self._commits)
        self._in.write(b"committer Bench <bench@example.org> %d +0000\n" % (1_700_000_000 + self._commits))
        self._in.write(b"data %d\n%s\n" % (len(said), said))
        if self._after is not None:
            self._in.write(b"from %s\n" % self._after.encode())
            self._after = None
        for path, text in files.items():
            self._in.write(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(text), text.encode()))
        self._in.write(b"\nget-mark :%d\n" % self._commits)
        self._in.flush()
        return self._out.readline().decode().strip()

    def change(self, placed: Placed, revision: int) -> str:
        """Change one manifest, so that it makes a new version; the id."""
        return self.commit(f"Set {placed.name} to {revision}", self._set([placed], revision))

    def revert(self, placed: Placed, revision: int, reverted: str) -> str:
        """Take that back, as `git revert` does; the id."""
        message = f'Revert "Set {placed.name} to {revision}"\n\nThis reverts commit {reverted}.\n'
        return self.commit(message, self._back([placed]))

    def change_many(self, several: Sequence[Placed], revision: int) -> str:
        """Change many manifests at once, as somebody does who knows what he does; the id."""
        message = f"Set {len(several)} to {revision}\n\nAllow-Mass-Change: {len(several)}\n"
        return self.commit(message, self._set(several, revision))

    def revert_many(self, several: Sequence[Placed], revision: int, reverted: str) -> str:
        """Take that back; the id."""
        title = f'Revert "Set {len(several)} to {revision}"'
        message = f"{title}\n\nThis reverts commit {reverted}.\n\nAllow-Mass-Change: {len(several)}\n"
        return self.commit(message, self._back(several))

    def seasons(self, several: Sequence[Placed], begin: datetime, end: datetime) -> str:
        """A season for each of these, all between the same two instants; the id."""
        files = {
            f"seasons/{placed.name}.yaml": _SEASON.format(
                name=placed.name, environment=placed.environment, begin=f"{begin:%FT%TZ}", end=f"{end:%FT%TZ}"
            )
            for placed in several
        }
        return self.commit(f"{len(several)} seasons", files)

    def _set(self, several: Sequence[Placed], revision: int) -> dict[str, str]:
        for placed in several:
            self._revisions.setdefault(placed.number, [1]).append(revision)
        return {placed.path: placed.manifest(revision) for placed in several}

    def _back(self, several: Sequence[Placed]) -> dict[str, str]:
        for placed in several:
            self._revisions[placed.number].pop()
        return {placed.path: placed.manifest(self._revisions[placed.number][-1]) for placed in several}


def publish(path: Path, commit: str) -> None:
    """Let `main` be at a commit, as a push does in the end; starts no process."""
    ref = path / "refs" / "heads" / "main"
    fresh = ref.with_name("main.lock")
    fresh.write_text(f"{commit}\n")
    fresh.rename(ref)
