"""A real history of releases as a desired repository, and what must come out of it.

`data/releases.txt.xz` holds facts of a public GitOps repository over seven weeks: one line a commit, with the seconds
since the commit before and `app/environment=tag` for each image that it set. Each pair becomes an App of one
environment here. Subjects are our own and never speak of reverts: a tag that returns is a restore.
"""

from __future__ import annotations

import lzma
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

FACTS = Path(__file__).parent / "data" / "releases.txt.xz"

APP = """\
apiVersion: reconciler/v1
kind: App
metadata: {{name: {name}}}
spec:
  image: registry.example/{app}:{tag}
  environments: [{environment}]
"""
ENVIRONMENT = """\
apiVersion: reconciler/v1
kind: Environment
metadata: {{name: {name}}}
spec: {{track: latest, target: {{type: directory, path: releases/{name}}}}}
"""


@dataclass
class Outcome:
    """What must be recorded once the first `commits` commits were noted."""

    commits: int = 0
    images: dict[str, list[str]] = field(default_factory=dict)
    """The images of each app in the order in which they first came: the first one is version 1."""
    current: dict[str, str] = field(default_factory=dict)
    """The image that each app runs in the end."""
    steps: list[tuple[int, str, str, int]] = field(default_factory=list)
    """Place of the commit, app, `new` or `restored`, and the version's number."""

    @property
    def versions(self) -> set[tuple[str, int, str]]:
        """App, number and image of every version."""
        return {(app, n, image) for app, images in self.images.items() for n, image in enumerate(images, 1)}

    def take(self, app: str, image: str) -> bool:
        """An app's image is set by the newest commit; whether that changes anything."""
        if self.current.get(app) == image:
            return False
        self.current[app] = image
        known = self.images.setdefault(app, [])
        look = "restored" if image in known else "new"
        if look == "new":
            known.append(image)
        self.steps.append((self.commits, app, look, known.index(image) + 1))
        return True


def build(path: Path, commits: int | None = None) -> Outcome:
    """Make a bare repository of the first so many commits (all without a number); what must come out of it."""
    lines = lzma.decompress(FACTS.read_bytes()).decode().splitlines()
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(path)], check=True)
    outcome, stream, moment = Outcome(), bytearray(), 0
    for line in lines[:commits]:
        seconds, *cells = line.split(" ")
        moment += int(seconds)
        files = {} if outcome.commits else _environments(lines)
        outcome.commits += 1
        for cell in cells:
            pair, tag = cell.split("=", 1)
            app, environment = pair.split("/")
            name = f"{app}-{environment}"
            if outcome.take(name, f"registry.example/{app}:{tag}"):
                text = APP.format(name=name, app=app, tag=tag, environment=environment)
                files[f"apps/{environment}/{app}.yaml"] = text
        stream += _commit(moment, cells, files)
    subprocess.run(["git", "-C", str(path), "fast-import", "--quiet"], input=bytes(stream), check=True)
    return outcome


def _environments(lines: list[str]) -> dict[str, str]:
    names = {cell.split("=", 1)[0].split("/")[1] for line in lines for cell in line.split(" ")[1:]}
    return {f"environments/{name}.yaml": ENVIRONMENT.format(name=name) for name in sorted(names)}


def _commit(moment: int, cells: list[str], files: dict[str, str]) -> bytes:
    subject = f"Set {cells[0].replace('=', ' to ')}" if len(cells) == 1 else f"Set {len(cells)} images"
    made = f"commit refs/heads/main\ncommitter Release Bot <bot@example.org> {moment} +0000\n".encode()
    made += b"data %d\n%s\n" % (len(subject), subject.encode())
    for name, text in files.items():
        made += f"M 100644 inline {name}\ndata {len(text)}\n{text}\n".encode()
    return made + b"\n"
