"""Why does this run here? The chain of `chain`, with the lines of the files as they were noted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection

from reconciler.errors import GitError, UnknownReference
from reconciler.git.objects import Objects
from reconciler.manifest import locate
from reconciler.model.output import Standing, Step
from reconciler.model.reasons import Why
from reconciler.store import manifest_files
from reconciler.views import reported, undeclared
from reconciler.views.chain import Field, Located, chain
from reconciler.views.pictures import Picture, pictures
from reconciler.views.resolving import declared_app, reported_alone
from reconciler.views.standings import not_ours, standings


def why(connection: Connection, app: str, environment: str, now: datetime, mirror: Path) -> Why:
    """The chain for an app in an environment at `now` (UTC), in order. Raises UnknownReference.

    `mirror` knows the lines of what is declared; it may not be there.
    """
    approved = reported.approved(connection, app, environment, now) if app.isprintable() else []
    if reported_alone(connection, app):
        return _reported(undeclared.standings_of(connection, app, now), app, environment, approved)
    declared_app(connection, app)
    (picture,) = pictures(connection, [app], now)
    told = {*picture.elsewhere, *picture.starts, *(one.start.environment for one in approved)}
    if environment in told - set(picture.environments):
        return _reported([*standings(picture, now)], app, environment, approved)
    if environment not in picture.environments:
        places = ", ".join(picture.environments) or "none"
        raise UnknownReference(f"{app} is not in an environment {environment[:100]}", f"it is in: {places}")
    return Why(app=app, environment=environment, steps=steps(connection, picture, environment, now, mirror))


def _reported(found: Iterable[Standing], app: str, environment: str, approved: Sequence[reported.Refused]) -> Why:
    """Why it stands so where git asks nothing of the app, and deployments are reported. Raises UnknownReference."""
    here = {one.environment: one for one in found}
    if approved:
        here.setdefault(environment, not_ours(app, environment, None, None, ()))
    if environment not in here:
        raise UnknownReference(
            f"nothing of {app} was reported in {environment[:100]}", f"it was in: {', '.join(here) or 'none'}"
        )
    return Why(app=app, environment=environment, steps=tuple(undeclared.steps(here[environment], approved)))


def steps(connection: Connection, picture: Picture, environment: str, now: datetime, mirror: Path) -> tuple[Step, ...]:
    """Why an app stands so in an environment, for whoever has its picture of `now` already."""
    with located(connection, mirror) as find:
        return tuple(chain(connection, picture, environment, now, find))


@contextmanager
def located(connection: Connection, mirror: Path) -> Iterator[Located]:
    """Finds lines in files as they were noted; without a mirror nobody can tell."""

    def find(path: str, ordinal: int, field: Field) -> tuple[int, int] | None:
        blob = manifest_files.blobs(connection, [path]).get(path)
        if blob is None or not (mirror / "objects").is_dir():
            return None
        try:
            return _place(mirror, blob, ordinal, field)
        except GitError:
            return None

    yield find


@lru_cache(maxsize=20_000)
def _place(mirror: Path, blob: str, ordinal: int, field: Field) -> tuple[int, int] | None:
    """Line and column in a blob, which never changes. Raises GitError."""
    return locate(_text(mirror, blob), ordinal, field)


@lru_cache(maxsize=8)
def _text(mirror: Path, blob: str) -> bytes:
    """A blob, of which several places are looked up: git is asked once. Raises GitError."""
    with Objects(mirror) as objects:
        ((_, data),) = objects.blobs([blob])
    if not isinstance(data, bytes):
        raise GitError("the mirror does not have it", "look again once it was fetched")
    return data
