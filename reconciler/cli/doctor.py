"""`reconciler doctor`: is everything in its place? Looks at everything and changes nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from reconciler.cli import asking, endings, opened, printing
from reconciler.cli.printing import Cell
from reconciler.errors import ReconcilerError
from reconciler.schedule import to_the_second

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.config import Settings
    from reconciler.store.repository import Followed
    from reconciler.targets.base import Target

OLDEST_GIT = (2, 39)
_TOGETHER = "give it an absolute `path` outside, on a file system that all daemons share; or run one daemon"
_VERSION = re.compile(r"(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that was looked at: `good`, `note` (worth knowing) or `bad`, and what to do about it."""

    check: str
    status: Literal["good", "note", "bad"]
    detail: str
    remedy: str = ""


@asking.verb
@asking.output_option()
def command(form: str) -> int:
    """Check git, repository, store, data directory, targets and manifests; the exit status is 1 when one is wrong."""
    found = list(examined(opened.settings()))
    if form == "json":
        printing.as_json(
            [{"check": f.check, "status": f.status, "detail": f.detail, "remedy": f.remedy} for f in found]
        )
    else:
        words = {"good": Cell("ok", "good"), "note": Cell("note", "warning"), "bad": Cell("wrong", "bad")}
        printing.table(("", "CHECK", "WHAT WAS FOUND"), [(words[f.status], f.check, f.detail) for f in found])
        for one in found:
            if one.remedy:
                printing.echo(f"{one.check}: {one.remedy}", "bad" if one.status == "bad" else "warning")
    return endings.NOT_SO if any(one.status == "bad" for one in found) else endings.DONE


def examined(settings: Settings) -> Iterator[Found]:
    """Everything that was looked at, in order."""
    yield _git()
    yield _data(settings)
    yield _daemon(settings)
    yield from _repository(settings)
    yield from _signers(settings)
    yield from _store(settings)
    yield from _targets()
    yield _zones()


def _git() -> Found:
    found = shutil.which("git")
    if found is None:
        return Found("git", "bad", "git is not installed", "install git 2.39 or newer")
    try:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    except OSError as error:
        return Found("git", "bad", f"git cannot be started: {error.strerror}", "install git 2.39 or newer")
    version = _VERSION.search(said)
    old = version is None or (int(version[1]), int(version[2])) < OLDEST_GIT
    return Found("git", "bad" if old else "good", said, "install git 2.39 or newer" if old else "")


def _data(settings: Settings) -> Found:
    place = settings.place
    there = next(parent for parent in (place, *place.parents) if parent.exists())
    if not there.is_dir():
        return Found("data directory", "bad", f"{there} is not a directory", "name another with the setting `data`")
    if not os.access(there, os.W_OK | os.X_OK):
        return Found("data directory", "bad", f"{there} cannot be written", "give the daemon's user the right to")
    usage = shutil.disk_usage(there)
    free = usage.free
    detail = f"{place}{'' if there == place else ' (made when the daemon starts)'}, {free / 1e9:.1f} GB free"
    if not usage.total and (refused := _refused(there)):
        what = f"{place} cannot be made" if there != place else f"{place} takes no files"
        return Found("data directory", "bad", f"{what}: {refused}", "name another with the setting `data`")
    low = free < 100_000_000
    return Found("data directory", "bad" if low else "good", detail, "free some space" if low else "")


def _refused(directory: Path) -> str:
    """Why no file can be made in it, '' where one can; what is made has no name and is gone at once."""
    try:
        with tempfile.TemporaryFile(dir=directory):
            return ""
    except OSError as error:
        return f"{directory} takes no files ({error.strerror})"


def _daemon(settings: Settings) -> Found:
    from reconciler.cli import health
    from reconciler.engine import living
    from reconciler.engine.alone import somebody_runs

    age = health.silent_for(settings)
    if age is not None and age > health.STANDS_STILL:
        detail = f"one runs on this data directory, but has shown no life for {age:.0f} s"
        return Found("daemon", "bad", detail, "it stands still: start it anew")
    failing = living.failing(settings.place)
    if failing is not None:
        detail = f"one runs on this data directory, but its turns fail since {printing.when(failing.since)}"
        again = f"the next one is taken at {printing.when(failing.again_at)}"
        return Found("daemon", "bad", f"{detail}: {failing.error}", f"{failing.next_step}; {again}")
    if somebody_runs(settings.place):
        return Found("daemon", "good", "one runs on this data directory")
    return Found("daemon", "note", "none runs on this data directory", "start `reconciler run`")


def _sharing(holder: str | None, there: Mapping[str, str]) -> Found:
    """The daemons that are at work on a store that they share, by id, and which of them leads."""
    names = [f"{name}{' (leads)' if one == holder else ''}" for one, name in there.items()]
    if not names:
        return Found("daemons", "note", "none is at work on this store", "start `reconciler run`")
    detail = f"{printing.counted(len(names), 'daemon')}: {', '.join(names)}"
    if holder not in there:
        return Found("daemons", "note", f"{detail}; none of them leads", "one of them will within the lease")
    return Found("daemons", "good", detail)


def _rights(connection: Connection) -> Iterator[Found]:
    """Whether the server takes what is to be recorded: all that is read here could come from one that does not."""
    from reconciler.store import rights

    if rights.reads_only(connection):
        remedy = "point state.url to the one that leads, or make this one lead"
        yield Found("writing", "bad", "the server only reads, since it follows another one", remedy)
    elif lacking := rights.lacking(connection):
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        detail = f"the user of state.url may not change the table {lacking[0]}{more}"
        yield Found("writing", "bad", detail, "grant it INSERT, UPDATE and DELETE on all tables of its schema")
    if lesser := rights.lesser_encoding(connection):
        detail = f"the database was made with the encoding {lesser}, which lacks most letters"
        yield Found("writing", "bad", detail, "`reconciler backup`, then `restore` into one that is made with UTF8")


def _repository(settings: Settings) -> Iterator[Found]:
    from reconciler.git.mirror import Mirror

    repository = settings.repository
    try:
        with tempfile.TemporaryDirectory(prefix="reconciler-") as directory:
            mirror = Mirror.open(repository.url, Path(directory) / "look.git", repository.branch, base=Path.cwd())
            head = mirror.remote_head()
            yield Found("repository", "good", mirror.url)
    except ReconcilerError as error:
        yield Found("repository", "bad", error.message, error.next_step)
        return
    if head is None:
        remedy = "push to it, or set repository.branch"
        yield Found("branch", "bad", f"the repository has no branch {repository.branch}", remedy)
    else:
        yield Found("branch", "good", f"{repository.branch} is at {head[:10]}")


def _signers(settings: Settings) -> Iterator[Found]:
    from reconciler.git.signing_keys import unusable
    from reconciler.wiring import keys

    counting = keys(settings)
    wrong = unusable(counting)
    for kind, path in (("ssh", counting.ssh), ("gpg", counting.gpg)):
        if path is None:
            continue
        if kind in wrong:
            remedy = f"until then no {kind.upper()} signature counts: put the keys there, or correct signers.{kind}"
            yield Found(f"signers.{kind}", "bad", wrong[kind], remedy)
        else:
            yield Found(f"signers.{kind}", "good", str(path))


def _store(settings: Settings) -> Iterator[Found]:
    from reconciler.store import ledger

    try:
        store = opened.existing_store(settings)
        if store is None:
            yield _no_store(settings)
            return
        try:
            with store.read() as connection:
                damage = ledger.damage(connection, 1)
                # All of it first: a store that breaks off in the middle is not also a good one.
                found = [] if damage else list(_recorded(connection, settings))
        finally:
            store.close()
    except ReconcilerError as error:
        yield Found("store", "bad", error.message, endings.remedy(error))
        return
    if damage:
        yield Found("store", "bad", f"{opened.shown_address(settings)} is damaged: {damage[0]}", endings.MEND)
    yield from found


def _no_store(settings: Settings) -> Found:
    from reconciler.store.database import Database

    where = opened.shown_address(settings)
    file = Database.file(settings.state.url)
    there = next((parent for parent in file.absolute().parents if parent.is_dir()), None) if file else None
    if there is not None and (refused := _refused(there)):
        remedy = "name another with the setting `state.url`, or see to the rights and the space there"
        return Found("store", "bad", f"there is none at {where}, and none can be made: {refused}", remedy)
    return Found("store", "note", f"there is none at {where} yet", "`reconciler run` makes it")


def _recorded(connection: Connection, settings: Settings) -> Iterator[Found]:
    from reconciler.store import complaining, declared, leases, repository

    daemons = 1  # more than one cannot be where the store is a file
    if connection.dialect.name != "sqlite":
        there = leases.at_work(connection)  # without the rows that killed ones left
        yield _sharing(leases.seen(connection).holder, there)
        yield from _rights(connection)
        daemons = len(there)
    place = repository.followed(connection)
    noted = f"noted up to {place.head[:10]}" if place and place.head else "nothing is noted yet"
    yield Found("store", "good", f"{opened.shown_address(settings)}, {noted}")
    if place is not None:
        yield from _followed(place, settings)
    if place is not None and place.held_head is not None:
        remedy = f"look at it, then `reconciler accept {place.held_head[:10]}`"
        yield Found("rewritten branch", "bad", f"{place.held_head} is held", remedy)
    complaints = complaining.complaints(connection)
    if complaints:
        first = complaints[0]
        detail = f"{printing.counted(len(complaints), 'complaint')}, first {first['path']}:{first['line']}"
        yield Found("manifests", "bad", f"{detail}: {first['message']}", "`reconciler status` lists them all")
    else:
        yield Found("manifests", "good", printing.counted(len(declared.app_names(connection)), "app"))
    yield from _declared_targets(connection, settings, daemons)
    yield from _alerts(connection)


def _declared_targets(connection: Connection, settings: Settings, daemons: int) -> Iterator[Found]:
    """Whether targets can be made, whether all daemons that live release to the same place, and no two of them."""
    from reconciler.targets.registry import Registry
    from reconciler.targets.whereabouts import in_each_others_way, within
    from reconciler.views.scene import declared_environments

    registry = Registry()
    found: dict[str, Target] = {}
    for name, environment in sorted(declared_environments(connection).items()):
        check, target = f"target of {name}", environment.spec.target
        wrong = registry.check(target)
        for sentence in wrong:
            yield Found(check, "bad", sentence, "correct spec.target of the Environment")
        if wrong:
            continue
        try:
            found[name] = registry.make(name, target, settings.place)
        except ReconcilerError as error:
            yield Found(check, "bad", error.message, error.next_step)
            continue
        if daemons > 1 and (own := within(found[name], settings.place)) is not None:
            detail = f"each of {daemons} daemons releases to a data directory of its own, this one to {own}"
            yield Found(check, "note", detail, _TOGETHER)
    ours = [settings.place / name for name in ("mirror.git", "notes.git", "exec")]
    for name, detail in in_each_others_way(found, [settings.place, *ours]):
        yield Found(f"target of {name}", "bad", detail, "give it a target.path of its own")


def _alerts(connection: Connection) -> Iterator[Found]:
    """Whether whoever is to be told of something can be."""
    from reconciler.notify.addresses import NotDelivered, behind
    from reconciler.store import messages
    from reconciler.views.scene import declared_alerts

    for alert in declared_alerts(connection):
        check, wrong = f"alert {alert.name}", False
        try:
            behind("address", alert.spec.to, os.environ)
        except NotDelivered as error:
            # The daemon may have what the shell of whoever types this has not.
            wrong = True
            yield Found(check, "note", f"no address here: {error.message}", "set it where the daemon runs")
        last = next(iter(messages.listed(connection, alert.name, None, 1)), None)
        if last is not None and last.error and last.status in ("failed", "waiting", "dropped"):
            again = "; it is tried again" if last.status == "waiting" else ""
            remedy = f"`reconciler alerts log {alert.name}` tells each attempt"
            yield Found(check, "bad", f"its last message did not arrive: {last.error}{again}", remedy)
        elif not wrong:
            yield Found(check, "good", alert.spec.to)


def _followed(place: Followed, settings: Settings) -> Iterator[Found]:
    from reconciler.git import addresses
    from reconciler.store import repository

    try:
        url = addresses.address(settings.repository.url, Path.cwd()).url
        source = repository.Source(url=url, branch=settings.repository.branch, root=settings.root)
        if not repository.fits(place, source) and place.head is not None:
            detail = f"the store follows {place.url}, the settings name {url}"
            remedy = "the next `reconciler run` follows it; what does not continue what was noted is held there"
            yield Found("followed", "note", detail, remedy)
    except ReconcilerError as error:
        yield Found("followed", "bad", error.message, error.next_step)
    if place.trouble is not None:
        detail = f"{place.trouble.message} (since {to_the_second(place.trouble.since)})"
        yield Found("following", "bad", detail, place.trouble.next_step or "the next look of `reconciler run` tells")


def _targets() -> Iterator[Found]:
    from reconciler.targets.registry import Registry

    registry, sound = Registry(), []
    for name in registry.names():
        try:
            registry.type(name)
            sound.append(name)
        except ReconcilerError as error:
            yield Found(f"target {name}", "bad", error.message, error.next_step)
    remedy = "" if sound else "install the package again"
    yield Found("targets", "good" if sound else "bad", ", ".join(sound) or "there are none", remedy)


def _zones() -> Found:
    from importlib import metadata

    try:
        return Found("time zones", "good", f"tzdata {metadata.version('tzdata')}")
    except metadata.PackageNotFoundError:
        return Found("time zones", "bad", "the time zone data is missing", "install the package tzdata")
