"""What do `restore` and `rebuild` have in common: who may replace a store, and how is nothing lost by it?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import asking, opened, printing
from reconciler.errors import NotSo, StoreError

if TYPE_CHECKING:
    from reconciler.config import Settings
    from reconciler.engine.sights import Adopted, Sight
    from reconciler.model.deployment import Place
    from reconciler.store.database import Database, Transaction

_LOOKS = 0.2
_BEATS_MISSED = 2


@dataclass(frozen=True, slots=True)
class Making:
    """A store that is being made, and where it will be put."""

    settings: Settings
    file: Path
    """A file that nobody else looks at, beside a SQLite store."""

    def take_place(self, now: datetime) -> str | None:
        """Let what was made be the store; where the earlier one is now, if there was one."""
        from reconciler.store.installing import install

        aside = install(self.file, self.settings.state.url, now)
        self.settings.nudge()
        return aside


@contextmanager
def making(settings: Settings, *, force: bool, verb: str) -> Iterator[Making]:
    """Alone with the store and the data directory, and sure that the store may be replaced.

    Raises NotSo where a daemon runs, or where something is recorded already and nobody said `--force`.
    """
    from reconciler.engine.alone import alone, alone_on
    from reconciler.store.database import Database

    file = Database.file(settings.state.url)
    settings.place.mkdir(parents=True, exist_ok=True)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f".{file.name}.{verb}") if file is not None else settings.place / f".{verb}.db"
    with ExitStack() as held:
        held.enter_context(alone(settings.place))
        held.enter_context(alone_on(file))
        _may_be_replaced(settings, force=force, verb=verb)
        _remove(beside)  # of one that was killed
        held.callback(_remove, beside)
        yield Making(settings, beside)


def _remove(file: Path) -> None:
    for suffix in ("", "-wal", "-shm", "-journal"):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _may_be_replaced(settings: Settings, *, force: bool, verb: str) -> None:
    from reconciler.store.database import Database
    from reconciler.store.installing import holding

    file = Database.file(settings.state.url)
    if file is not None and not opened.is_there(file, settings):
        return
    where = opened.shown_address(settings)
    store = Database(settings.state.url)
    try:
        if store.is_shared:
            _nobody_lives(store, settings.state.lease)
        held = holding(store)
    except StoreError as error:
        if file is None:
            raise
        if force:
            return  # whatever it is, it is set aside as it is
        remedy = f"if it is damaged, `reconciler {verb} --force` sets it aside and deletes nothing of it"
        raise NotSo(error.message, remedy) from error
    finally:
        store.close()
    if held and not force:
        raise NotSo(
            f"the store at {where} is not empty: it holds {numbers(held)}",
            "--force sets it aside under another name and deletes nothing; or name another store as state.url. "
            "Nothing was changed",
        )


def numbers(counts: Mapping[str, int]) -> str:
    """Counts in words: `1 commit, 2 versions`."""
    return ", ".join(printing.counted(count, name.removesuffix("s")) for name, count in counts.items())


def _nobody_lives(store: Database, lease: timedelta) -> None:
    """Raise NotSo when a daemon shows that it lives: it has a session, or its beat grows within a part of the lease,
    which is ours and may be longer for others."""
    from reconciler.store import leases, migrate

    with store.read() as connection:
        if not {"daemons", "leadership"} <= migrate.tables_there(connection):
            return
        first = leases.beating(connection)
        _none_is(list(leases.at_work(connection).values()))
    until = time.monotonic() + lease.total_seconds() * _BEATS_MISSED / 5
    while first and time.monotonic() < until:
        time.sleep(_LOOKS)
        with store.read() as connection:
            now = leases.beating(connection)
        _none_is([name for one, (name, beat) in now.items() if (name, beat) != first.get(one)])


def _none_is(living: Sequence[str]) -> None:
    if living:
        raise NotSo(
            f"{printing.counted(len(living), 'daemon')} on this store: {', '.join(sorted(living)[:5])}",
            "stop them all first, then type this again; nothing was changed",
        )


def pause_option(function: asking.F) -> asking.F:
    """`--pause-until`, which gives people time to look."""
    said = f"Start nothing new where a target runs something else, until then: {asking.MOMENTS}."
    return click.option("--pause-until", "pause_until", type=asking.MOMENT, metavar="TIME", help=said)(function)


@contextmanager
def looking(settings: Settings) -> Iterator[Callable[[Database], Mapping[Place, Sight]]]:
    """Asks the targets of a store that is being made what they run."""
    from reconciler.engine.sights import look
    from reconciler.store.remade import places
    from reconciler.targets.made import Targets
    from reconciler.views.scene import declared_environments

    targets = Targets(settings.place)

    def asked(store: Database) -> Mapping[Place, Sight]:
        with store.read() as connection:
            environments, wanted = declared_environments(connection), places(connection)
        return look(targets.make, environments, wanted, settings.workers)

    try:
        yield asked
    finally:
        targets.close()


def new_lineage(transaction: Transaction, now: datetime) -> None:
    """Numbers that targets were told before say nothing about those that follow."""
    from reconciler.store import leases

    leases.begin_lineage(transaction, now)


def adopted_json(found: Adopted) -> dict[str, Any]:
    """What was found of the targets, for `-o json`."""
    return {
        "same": found.same,
        "others": [_plain(one) for one in found.others],
        "gone": [_plain(one) for one in found.gone],
        "unheard": [_plain(one) for one in found.unheard],
        "unknown": [_plain(one) for one in found.unknown],
    }


def _plain(one: Any) -> dict[str, str]:
    return {"app": one.app, "environment": one.environment, "recorded": one.recorded, "runs": one.runs}


MOST_TOLD = 20
_UNHEARD = (
    "have a target that only repeats what it was told, and was not told of this here. They are taken to run what is "
    "recorded, and no look for drift tells otherwise"
)


def tell_adopted(found: Adopted, otherwise: str) -> None:
    """What was found of the targets, for people; `otherwise` is what happens about those that run something else."""
    whole = found.same + len(found.others) + len(found.gone) + len(found.unheard) + len(found.unknown)
    printing.echo(
        f"what targets run: {found.same} of {whole} as recorded", "good" if found.same == whole else "warning"
    )
    for heading, several in (
        (f"run something else, {otherwise}", found.others),
        ("run nothing, which the next look for drift tells and, where that is wished, repairs", found.gone),
        (_UNHEARD, found.unheard),
        ("could not be asked, and are taken to run what is recorded", found.unknown),
    ):
        if several:
            printing.echo(f"{len(several)} {heading}:", "warning")
        for one in several[:MOST_TOLD]:
            printing.echo(f"  {one.app} in {one.environment}: {one.recorded} is recorded; {one.runs}", "warning")
        if len(several) > MOST_TOLD:
            printing.echo(f"  and {len(several) - MOST_TOLD} more", "warning")
