"""What is the shortest way from a fresh checkout to a running daemon and a repository to play with?

Makes a bare repository from `manifests/`, writes the settings, says what to type next, and becomes the daemon.
Everything lies in one directory (`state/quickstart`): remove it to begin anew.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from reconciler.config import OFF, load
from reconciler.engine.alone import somebody_runs
from reconciler.errors import ReconcilerError

HOST, PORT = "127.0.0.1", 8080
ROOT = Path(__file__).resolve().parent.parent
IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Quickstart"), ("EMAIL", "quickstart@example.org"))
}
# The first commit is the same whatever a person or a machine has set for git.
PLAIN = ["core.excludesFile=/dev/null", "core.hooksPath=/dev/null", "core.autocrlf=false", "commit.gpgSign=false"]

SETTINGS = """\
# Written anew at every start of the quickstart.
repository:
  url: {desired}
  branch: main
state:
  url: {database}
data: {state}
api:
  listen: {listen}
"""

NEXT = """
A daemon follows {desired} now. Leave it running, open a second terminal in this directory, and try:

1. Look around

{define}
     reconciler status

{dashboard}
   The shop, as it is live: http://localhost:8000/ after

     python3 -m http.server 8000 --bind 127.0.0.1 --directory {state}/releases/live/storefront/current

2. Release: change the shop's heading and push

{checkout}
     sed -i 's|<h1>.*</h1>|<h1>Spring is here</h1>|' {clone}/storefront/page/index.html
     git -C {clone} commit --quiet --all --message 'Spring in the window'
     git -C {clone} push --quiet
     reconciler deployments list --app storefront --limit 3
     reconciler versions compare storefront v1 v2

3. Roll back: revert it and push

     git -C {clone} revert --no-edit HEAD
     git -C {clone} push --quiet
     reconciler deployments list --app storefront --limit 3
     reconciler why storefront live

4. Season: let the flash sale begin now, and end by itself a minute later

     sed -i "s|from: .*|from: \\"$(date -u +%FT%TZ)\\"|" {clone}/storefront/flash-sale.yaml
     sed -i "s|until: .*|until: \\"$(date -u -d '+1 minute' +%FT%TZ)\\"|" {clone}/storefront/flash-sale.yaml
     git -C {clone} commit --quiet --all --message '[SEASONAL] Flash sale'
     git -C {clone} push --quiet
     reconciler status storefront
     reconciler calendar

   and, when the minute is over,

     reconciler deployments list --app storefront --environment live --limit 2

Ctrl-C here ends the daemon; the next start goes on where it ended.
"""
DEFINE = '     reconciler() {{ {program} --config {settings} "$@"; }}'
DASHBOARD = """\
   The dashboard, in a browser: http://{listen}/ui/. Its buttons ask for a token, such as this one:

     reconciler tokens create --name you@example.org --scope approve --scope operate --actor you@example.org
"""
NO_DASHBOARD = """\
   There is no dashboard: api.listen is off.
"""
CLONE = "     git clone --quiet --config user.name=You --config user.email=you@example.org {desired} {clone}"
PULL = "     git -C {clone} pull --quiet"


def main() -> None:
    """Set up what is missing, say what comes next, and run the daemon in the place of this process."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--state", type=Path, default=Path("state/quickstart"), metavar="DIR")
    told: Path = parser.parse_args().state
    # Whatever is below the checkout is named from there: short to type, and right after the checkout has moved.
    place = told.absolute()
    os.chdir(ROOT)
    state = place.relative_to(ROOT) if place.is_relative_to(ROOT) else place
    if shutil.which("git") is None:
        sys.exit("git is not installed; on Debian: apt-get install git")
    try:
        state.mkdir(parents=True, exist_ok=True)
        make_repository(state / "desired.git")
        if somebody_runs(state):
            sys.exit(f"another reconciler runs on {state}; go on with that one, or end it with Ctrl-C in its terminal")
        listen = free_address()
        settings = write_settings(state, listen)
    except OSError as error:
        sys.exit(f"{error.filename or state}: {error.strerror}; choose another place with --state DIR")
    except subprocess.CalledProcessError as error:
        sys.exit(f"git could not make {state / 'desired.git'}: {error.stderr.strip()}")
    program = Path(sys.executable).with_name("reconciler")
    program = program.relative_to(ROOT) if program.is_relative_to(ROOT) else program
    print(instructions(state, settings, program, serves_at(settings, listen)), flush=True)
    os.execv(sys.executable, [sys.executable, "-m", "reconciler", "--config", str(settings), "run"])


def make_repository(desired: Path) -> None:
    """A bare repository with one commit that holds `manifests/`; one that is there already is kept."""
    if desired.exists():
        return
    # Made under another name first: whoever is interrupted begins anew.
    fresh = desired.with_name(f"{desired.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    git(fresh, "init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(fresh.absolute()))
    git(fresh, "add", "--all", ".")
    git(fresh, "commit", "--quiet", "--message=The example of the checkout")
    (fresh / "index").unlink()
    fresh.rename(desired)


def git(repository: Path, *arguments: str) -> None:
    """Run git on the bare repository, with `manifests/` as its files. Raises CalledProcessError."""
    # What a hook or a person has exported must not lead elsewhere.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    place = [] if arguments[0] == "init" else [f"--git-dir={repository.absolute()}", "--work-tree=."]
    options = [word for option in PLAIN for word in ("-c", option)]
    subprocess.run(
        ["git", *place, *options, *arguments],
        cwd=ROOT / "manifests",
        env={**environ, **IDENTITY},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )


def free_address() -> str:
    """Where the dashboard can be served: at its usual port, or at another one when that is taken."""
    for port in (PORT, 0):
        try:
            with socket.create_server((HOST, port)) as found:
                return f"{HOST}:{found.getsockname()[1]}"
        except OSError:
            continue
    return f"{HOST}:{PORT}"


def write_settings(state: Path, listen: str = f"{HOST}:{PORT}") -> Path:
    """The daemon's settings, as anybody could write them."""
    settings = state / "reconciler.yaml"
    # A text of JSON is one of YAML too, whatever the directory is called.
    desired, database, data = map(
        json.dumps, (str(state / "desired.git"), f"sqlite:///{state / 'reconciler.db'}", str(state))
    )
    text = SETTINGS.format(desired=desired, database=database, state=data, listen=listen)
    settings.write_text(text, encoding="utf-8")
    return settings


def serves_at(settings: Path, listen: str) -> str:
    """Where the daemon is going to serve: a variable holds over what was written."""
    try:
        return load(str(settings), os.environ).api.listen
    except ReconcilerError:
        return listen  # the daemon says what is wrong with them


def instructions(state: Path, settings: Path, program: Path, listen: str = f"{HOST}:{PORT}") -> str:
    """What to type next, ready to be copied line by line into a shell in the checkout."""
    clone = state / "desired"
    names = {
        name: shlex.quote(str(path))
        for name, path in {
            "desired": state / "desired.git",
            "clone": clone,
            "state": state,
            "program": program,
            "settings": settings,
        }.items()
    }
    checkout = (PULL if clone.exists() else CLONE).format(**names)
    dashboard = NO_DASHBOARD if listen == OFF else DASHBOARD.format(listen=listen)
    return NEXT.format(define=DEFINE.format(**names), checkout=checkout, dashboard=dashboard, **names)


if __name__ == "__main__":
    main()
