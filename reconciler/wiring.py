"""Which concrete things is a running reconciler made of? The one place that knows them all."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from reconciler import telemetry
from reconciler.config import NUDGE, Settings
from reconciler.engine import clock
from reconciler.engine.alone import alone, alone_on
from reconciler.engine.branches import Branches, Writing
from reconciler.engine.cycle import Cycle
from reconciler.engine.daemon import Daemon
from reconciler.engine.drifting import Drifting
from reconciler.engine.following import Following
from reconciler.engine.hands import Hands
from reconciler.engine.membership import Membership
from reconciler.engine.perform import Surroundings
from reconciler.engine.pool import Pool
from reconciler.engine.signing import Signing
from reconciler.engine.sweeping import sweep_rarely
from reconciler.engine.telling import deployment_teller, tell
from reconciler.errors import StoreError
from reconciler.git.fetched_again import FetchedAgain
from reconciler.git.mirror import Mirror
from reconciler.git.signatures import Person
from reconciler.git.signing_keys import Keys, unusable
from reconciler.model.shape import build
from reconciler.notify.ahead import Foresight
from reconciler.notify.deriving import Also
from reconciler.notify.notifying import Notifying
from reconciler.notify.sending import Carry, alerts_by
from reconciler.store.database import Database
from reconciler.store.messages import Channel
from reconciler.store.migrate import migrate
from reconciler.targets.made import Targets
from reconciler.telemetry.busy import Busy
from reconciler.telemetry.traces import traced
from reconciler.views.scene import declared_environments

log = telemetry.logger("daemon")


@dataclass(frozen=True, slots=True)
class Running:
    """A daemon that is put together, and what it is made of."""

    daemon: Daemon
    cycle: Cycle
    database: Database
    following: Following
    pool: Pool
    membership: Membership
    drifting: Drifting
    notifying: Notifying


def database(settings: Settings) -> Database:
    """The store, at the present schema."""
    found = Database(settings.state.url)
    try:
        migrate(found)
    except BaseException:
        found.close()
        raise
    return found


def mirror(settings: Settings) -> Mirror:
    """The mirror of the followed branch."""
    return Mirror.open(settings.repository.url, settings.mirror, settings.repository.branch, base=Path.cwd())


def following(settings: Settings, store: Database, nudge: Callable[[], None]) -> Following:
    """What follows the branch; `nudge` is called when a repository elsewhere has answered."""
    repository = settings.repository
    return Following(
        store,
        mirror(settings),
        root=settings.root,
        interval=repository.interval,
        allow_rewrites=repository.allow_rewrites,
        adopt=repository.history,
        tell=tell,
        nudge=nudge,
    )


def _writing(settings: Settings) -> Writing | None:
    """How branches are written, where they are."""
    write, repository = settings.write, settings.repository
    if not write.branches:
        return None
    author = Person(write.name, write.email)
    return Writing(
        url=repository.url,
        base=Path.cwd(),
        followed=repository.branch,
        prefix=write.prefix,
        author=author,
        push=write.push,
    )


def keys(settings: Settings) -> Keys:
    """Whose signatures count."""
    ssh, gpg = settings.signers.ssh, settings.signers.gpg
    return Keys(ssh=Path(ssh).absolute() if ssh else None, gpg=Path(gpg).absolute() if gpg else None)


def membership(settings: Settings, store: Database, now: clock.Clock, ticks: clock.Ticks) -> Membership:
    """What a daemon on this machine is among those that share the store."""
    name = f"{socket.gethostname()}-{os.getpid()}"
    return Membership(store, name, settings.state.lease if store.is_shared else None, now, ticks)


def _get_ready(store: Database, hands: Hands) -> None:
    """Have whoever carries very many deployments out lie ready, where any environment's target is one for it."""
    # Nothing depends on it: a store that does not answer now is told of by the turns.
    with suppress(StoreError), store.read() as connection:
        hands.get_ready([one.spec.target for one in declared_environments(connection).values()])


def _notifying(settings: Settings, store: Database, member: Membership, now: clock.Clock) -> Notifying:
    """What tells people and forges what happened."""
    carriers: list[dict[Channel, Carry]] = [{"alert": alerts_by(os.environ)}]
    also: list[Also] = []
    forge = settings.forge
    if forge.type is not None:
        # Here, since an HTTP client takes its time, and most daemons tell no forge.
        from reconciler.notify.forge import Place
        from reconciler.notify.to_forge import ToForge, to_tell

        place = Place(forge.type, forge.api, forge.repository, forge.token)
        carriers.append({"forge": ToForge(store, place, os.environ, now).carry})
        also.append(to_tell)
    if settings.write.notes:
        from reconciler.notify.by_notes import Where, noting, to_note

        write = settings.write
        where = Where(
            url=settings.repository.url,
            base=Path.cwd(),
            repository=settings.place / "notes.git",
            mirror=settings.mirror,
            author=Person(write.name, write.email),
        )
        carriers.append({"notes": noting(where, now)})
        also.append(to_note)
    return Notifying(store, lambda: member.leads, now, carriers, Foresight(store, settings.mirror), also)


@contextmanager
def running(
    settings: Settings,
    now: clock.Clock = clock.system,
    ticks: clock.Ticks = clock.ticks,
    *,
    staying: bool = True,
    busy: Busy | None = None,
) -> Iterator[Running]:
    """A reconciler, ready to run, alone on its data directory. Raises NotSo when another one runs there.

    One that is not `staying` settles once and starts no thread before there is work: most often there is none. It tells
    `busy` when it is at work.
    """
    sweep_rarely()
    prepare = cache(build)  # what is done in threads makes values
    if staying:
        # Now, and not with the first push, which would wait for it.
        from reconciler.engine import advancing  # noqa: F401
        from reconciler.views import planning  # noqa: F401

        prepare()
    place = settings.place
    place.mkdir(parents=True, exist_ok=True)
    file = Database.file(settings.state.url)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    with alone(place), alone_on(file):
        store = database(settings)
        member = membership(settings, store, now, ticks)
        nudged = threading.Event()
        follows = following(settings, store, nudged.set)
        targets = Targets(place)
        hands = Hands(settings.mirror, place, targets.apart, ticks)
        again = FetchedAgain(follows.objects, follows.mirror)
        surroundings = Surroundings(
            make_target=targets.make,
            unpack=again.unpack,
            environ=os.environ,
            data=place,
            act=hands.act,
            expect=hands.expect,
        )
        pool = Pool(surroundings, settings.workers, nudged.set, member.may_act, prepare)
        branches = Branches(again, _writing(settings), nudged.set)
        counting = keys(settings)
        for kind, why in unusable(counting).items():
            log.warning("signers.unusable", setting=f"signers.{kind}", error=why)
        signing = Signing(follows, counting, settings.repository.interval)
        cycle = Cycle(store, follows, pool, branches, signing, member, traced(deployment_teller(store)))
        (place / NUDGE).touch()
        daemon = Daemon(
            store,
            follows,
            pool,
            cycle,
            member,
            now,
            interval=settings.repository.interval,
            full_pass=settings.full_pass,
            drain=settings.drain,
            watched=[*follows.mirror.watch_paths(), place / NUDGE],
            nudged=nudged,
            at_work=busy.say if busy is not None else None,
            get_ready=partial(_get_ready, store, hands),
            ticks=ticks,
        )
        drifting = Drifting(store, targets.make, nudged.set, lambda: member.leads, now, ticks)
        notifying = _notifying(settings, store, member, now)
        try:
            yield Running(daemon, cycle, store, follows, pool, member, drifting, notifying)
        finally:
            drifting.close()
            notifying.close()
            # What is stopped here is still `started` in the store: the next start takes it up again.
            pool.close(stop_running=True)
            hands.close()
            targets.close()
            follows.close()
            store.close()
