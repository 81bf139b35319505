"""Which concrete things is the HTTP face made of? The place that knows them, as `wiring` does for the daemon.

What only the engine can do is handed to the API here, as functions: the API itself never imports it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

from fastapi import FastAPI

from reconciler.api import serving
from reconciler.api.app import application as made_of
from reconciler.api.context import Context, Terms, nothing_recorded
from reconciler.api.waiting import OneAtATime
from reconciler.config import Settings
from reconciler.drafting import asking
from reconciler.engine import clock, living
from reconciler.engine.foreseeing import foresee
from reconciler.git import addresses
from reconciler.git.mirror import Mirror
from reconciler.model.shape import build
from reconciler.store.database import Database
from reconciler.store.migrate import HEAD, revision
from reconciler.targets.secrets import value_of

if TYPE_CHECKING:
    from reconciler.api.oidc import Provider
    from reconciler.model.shown import PlanShown
    from reconciler.telemetry.busy import Busy

_Wanted = TypeVar("_Wanted", contravariant=True)
_Shown = TypeVar("_Shown", covariant=True)
CACHE_KILOBYTES = 4_000
"""What each connection holds of a SQLite store: there are as many as threads that answer, and what is asked again is
kept as it was answered."""
_REMEDY = "set it where the reconciler serves HTTP, or correct in the settings where it is found"


def application(settings: Settings, busy: Busy | None = None) -> FastAPI:
    """The application over the store that the settings name, which may not be there yet.

    `busy` says when the daemon beside it is at work, where there is one.
    """
    made = made_of(
        Context(
            terms=_terms(settings),
            now=clock.system,
            nudge=settings.nudge,
            secret=clock.secret,
            webhook_secrets=lambda forge: _secrets(settings, forge),
            daemon_runs=lambda connection: living.somebody_runs(settings.place, connection),
            daemon_fails=lambda: living.failing(settings.place),
            place=settings.place,
            mirror=settings.mirror,
            find_store=lambda: _store(settings),
            foresee=lambda at, until, meanwhile: _foresee(settings, at, until, meanwhile),
            promote=_written(settings, asking.promote),
            roll_back=_written(settings, asking.roll_back),
            pause=_written(settings, asking.pause),
            provider=_provider(settings),
        ),
        busy,
    )
    # Handlers run in threads.
    build()
    return made


def _terms(settings: Settings) -> Terms:
    """What the settings say of this face."""
    api = settings.api
    host = serving.address(api.listen)[0]
    public = {name} if (name := urlsplit(api.address).hostname) else set()
    ours = {host.lower(), "localhost", "127.0.0.1", "::1", *map(str.lower, api.hosts), *public}
    # Where anybody may read, a page elsewhere must not be able to, by a name of its own that leads here.
    named = ours if api.hosts or public or api.only_here else ()
    # Through a proxy on this machine others ask as well.
    alone = api.only_here and not api.proxies
    return Terms(
        reading_needs_token=api.read == "token" or (api.read == "auto" and not alone),
        hosts=tuple(named),
        proxies=api.proxies,
        reads=api.reads,
        writes=api.writes,
        connections=api.connections,
        timezone=api.timezone,
        address=api.address.rstrip("/"),
    )


def _provider(settings: Settings) -> Provider | None:
    """Through whom people sign in, where the settings say so."""
    oidc = settings.api.oidc
    if not oidc.issuer:
        return None
    from reconciler.api.oidc import Client, Provider

    return Provider(
        Client(
            issuer=oidc.issuer,
            client_id=oidc.client_id,
            client_secret=lambda: value_of("OIDC_CLIENT_SECRET", oidc.client_secret, os.environ, _REMEDY),
            address=settings.api.address,
            name=oidc.name,
            groups=oidc.groups,
            scopes=oidc.scopes,
            roles=oidc.roles,
        )
    )


def _secrets(settings: Settings, forge: str) -> list[str]:
    """The values of a forge's secrets. Raises PersonNeeded."""
    sources = getattr(settings.webhooks, forge)
    return [value_of(f"WEBHOOKS_{forge.upper()}", source, os.environ, _REMEDY) for source in sources]


def _store(settings: Settings) -> Database | None:
    """The store, once a daemon has made it and brought it to the present schema. Raises StoreError."""
    file = Database.file(settings.state.url)
    if file is not None and not file.is_file():
        return None
    found = Database(settings.state.url, cache_kilobytes=CACHE_KILOBYTES)
    try:
        with found.read() as connection:
            at = revision(connection)
    except BaseException:
        found.close()
        raise
    if at == HEAD:
        return found
    found.close()
    return None


PLAN_WITHIN, COMMIT_WITHIN = 3.0, 10.0
"""Seconds that somebody waits until another one's is made."""
_PLANNING, _WRITING = OneAtATime("a plan", PLAN_WITHIN), OneAtATime("a commit", COMMIT_WITHIN)
"""One at a time of each: several plans would leave no processor to the daemon, and git takes its time to answer."""


def _foresee(
    settings: Settings, at: datetime, until: datetime | None, meanwhile: Callable[[], None]
) -> tuple[PlanShown, datetime | None]:
    with _PLANNING.turn(), _present(settings) as store:
        return foresee(store, _mirror(settings), settings.root, at, until, meanwhile)


class _Writes(Protocol[_Wanted, _Shown]):
    """Writes a commit onto a branch, as `drafting.asking` does, or tells what it would be."""

    def __call__(
        self, settings: Settings, store: Database, wanted: _Wanted, now: datetime, *, dry_run: bool
    ) -> _Shown: ...


def _written(settings: Settings, write: _Writes[_Wanted, _Shown]) -> Callable[[_Wanted, bool], _Shown]:
    """What writes a commit, for whoever asks over HTTP: one commit at a time."""

    def written(wanted: _Wanted, dry_run: bool) -> _Shown:
        with _WRITING.turn(), _present(settings) as store:
            return write(settings, store, wanted, clock.system(), dry_run=dry_run)

    return written


@contextmanager
def _present(settings: Settings) -> Iterator[Database]:
    """The store for one answer. Raises StoreError while there is none."""
    store = _store(settings)
    if store is None:
        raise nothing_recorded()
    try:
        yield store
    finally:
        store.close()


def _mirror(settings: Settings) -> Mirror:
    """The daemon's mirror as it is, to be read: nothing of it is made, mended or fetched here."""
    repository = settings.repository
    place = addresses.address(repository.url, Path.cwd())
    return Mirror(place, settings.mirror, addresses.branch(repository.branch), 120)
