"""How does a person's choice become a commit on a branch, with everything checked before anything is written?

The commit is made in a repository that is thrown away, and noted in a rehearsal: what it would do is told by the code
that does it in earnest. Where it is put then is in `workplaces`, what is said of it in `reports`, by whom it is in
`committing`; which choice it is, in `promoting` and `taking_back`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reconciler.drafting import scratch as scratches
from reconciler.errors import ManifestError, NotSo, UnknownReference
from reconciler.words import instead, plain

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from reconciler.config import Settings
    from reconciler.desired import Desired
    from reconciler.drafting.workplaces import Workplace
    from reconciler.engine.rehearsing import Rehearsal
    from reconciler.git.signatures import Signature
    from reconciler.manifest.editing_choices import Place
    from reconciler.model.plan import Plan
    from reconciler.planner.recorded import EnvironmentRecord
    from reconciler.store.database import Database
    from reconciler.views.pictures import Picture

_LARGEST_FILE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An app in an environment, as it stands at the newest commit of the followed branch."""

    picture: Picture
    environment: str
    wanted: Desired
    record: EnvironmentRecord
    place: Place
    data: bytes
    """The whole file that its manifest is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A commit that is made and not put anywhere yet."""

    commit: str
    message: str
    diff: str


@dataclass(slots=True)
class Desk:
    """Where a commit is drafted: the newest commit of the followed branch, noted in a rehearsal."""

    settings: Settings
    now: datetime
    played: Rehearsal
    place: Workplace

    @property
    def connection(self) -> Connection:
        """What would be recorded once that commit was noted."""
        return self.played.transaction.connection

    def entry(self, app: str, environment: str) -> Entry:
        """An app in an environment. Raises UnknownReference, and NotSo or ManifestError where it cannot be written."""
        picture = self.picture(app)
        if environment not in picture.wanted:
            raise UnknownReference(*self._elsewhere(app, environment, sorted(picture.wanted)))
        return Entry(
            picture=picture,
            environment=environment,
            wanted=picture.wanted[environment],
            record=picture.record(environment),
            place=self._declared(picture, environment),
            data=self._file(picture.row.path),
        )

    def picture(self, app: str) -> Picture:
        """An app as it stands. Raises UnknownReference, NotSo where it left git, ManifestError for a broken file."""
        from reconciler.store import manifest_files
        from reconciler.views.pictures import pictures
        from reconciler.views.resolving import declared_app

        declared_app(self.connection, app)
        (picture,) = pictures(self.connection, [app], self.now)
        if picture.app is None:
            raise NotSo(f"{app} has left git; it was declared in {plain(picture.row.path)}", "restore its manifest")
        if picture.row.complaints:
            self._refuse_broken(picture.row.complaints)
        self._refuse_broken(manifest_files.broken(self.connection, [picture.row.path]).get(picture.row.path, []))
        return picture

    def _refuse_broken(self, complaints: Sequence[Mapping[str, Any]]) -> None:
        for one in complaints:
            place = f"{plain(one['path'])}:{one['line']}:{one['column']}"
            raise ManifestError(
                f"the manifest is broken at {self.place.head[:10]}: {place}: {one['message']}",
                one.get("remedy") or "mend it first; `reconciler validate` shows every mistake",
            )

    def _elsewhere(self, app: str, environment: str, there: list[str]) -> tuple[str, str]:
        from reconciler.store import declared

        known = declared.documents(self.connection, "Environment")
        if environment not in known:
            return f"there is no environment {environment[:100]}", instead(environment, known)
        return (
            f"{app} does not list the environment {environment}",
            f"add it to its environments first; it is in {', '.join(there) or 'none'}",
        )

    def _declared(self, picture: Picture, environment: str) -> Place:
        from reconciler.manifest import locate
        from reconciler.manifest.editing_choices import Place
        from reconciler.store import declared

        row = picture.row
        for one in declared.in_files(self.connection, [row.path]):
            if one.kind == "AppSet" and one.ordinal == row.ordinal:
                field = ("spec", "template", "spec", "environments", environment)
                line, column = locate(self._file(row.path), row.ordinal, field)
                raise NotSo(
                    f"{picture.name} comes from the AppSet {one.name}, whose entries hold for all of its apps",
                    f"edit {plain(row.path)}:{line}:{column} for all, or give {picture.name} a manifest of its own",
                )
        return Place(row.path, row.ordinal, picture.name, environment)

    def _file(self, path: str) -> bytes:
        objects = self.played.following.objects
        entry = objects.entry(objects.commit(self.place.head).tree, path)
        found = next((data for _, data in objects.blobs([entry.id], _LARGEST_FILE)), None) if entry else None
        if not isinstance(found, bytes):
            raise NotSo(f"{plain(path)} cannot be read at {self.place.head[:10]}", "see that it is a plain file")
        return found

    def draft(self, files: Mapping[str, bytes], message: str, signature: Signature) -> Draft:
        """A commit in which files are others. Raises NotSo where nothing would be."""
        from reconciler.git.writing import commit_files

        commit = commit_files(self.place.room, self.place.head, files, message, signature)
        return self.drafted(commit, message)

    def drafted(self, commit: str, message: str) -> Draft:
        """A commit that has been made in the room of this desk, with its difference to what it builds on."""
        arguments = ["diff", "--no-color", "--no-ext-diff", "--no-textconv", self.place.head, commit]
        done = scratches.run([f"--git-dir={self.place.room}", *arguments])
        return Draft(commit=commit, message=message, diff=done.stdout.decode("utf-8", "replace"))

    def foresee(self, commit: str, app: str, at: datetime) -> Plan:
        """What is planned for an app once a commit is on the followed branch, at a moment. Raises ManifestError."""
        from reconciler.model.plan import Plan
        from reconciler.store import declared, due

        self.note(commit)
        row = declared.apps(self.connection, [app])[app]
        self._refuse_broken(row.complaints or ())
        due.mark(self.played.transaction, [app], at)
        return self.played.plan(at).get(app) or Plan()

    def note(self, commit: str) -> None:
        """Take a commit as the newest of the followed branch. Raises NotSo where the branch is held."""
        self.played.note(commit, self.now)
        if self.played.noted != commit:
            raise NotSo(
                "the followed branch was rewritten, and is held until a person accepts that",
                "`reconciler status` tells more; then `reconciler accept`",
            )


@contextmanager
def desk(settings: Settings, store: Database, place: Workplace, now: datetime) -> Iterator[Desk]:
    """A desk on what is recorded. Nothing that happens at it stays."""
    from reconciler.engine.rehearsing import rehearsal

    with ExitStack() as stack:
        played = stack.enter_context(
            rehearsal(
                store,
                place.scratch.mirror,
                root=settings.root,
                adopt=settings.repository.history,
                allow_rewrites=settings.repository.allow_rewrites,
            )
        )
        found = Desk(settings, now, played, place)
        played.following.looking.require_path(place.head)
        found.note(place.head)
        yield found
