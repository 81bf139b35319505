"""What is the branch at, there and here? A bare mirror of one branch of one repository, made with GitPython.

The mirror never has a work tree and never pushes. It is asked for with `--filter=blob:limit=1g`, which leaves
nothing out that anybody deploys, but spares each fetch the walk over everything that is here already; servers
that know no filters simply ignore it. Nothing that was fetched once is ever thrown away, so that a version
stays deployable after somebody forced the branch. Whether a forced branch is accepted is the caller's to say.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from reconciler import telemetry
from reconciler.git import trouble
from reconciler.git.addresses import Address, address
from reconciler.git.addresses import branch as checked_branch
from reconciler.git.processes import ask, complaint, damaged, talking_environment, unattended_ssh
from reconciler.git.refs import LocalRefs, Unreadable
from reconciler.git.talking import Talking

_FILTER = "--filter=blob:limit=1g"
_PACKS = 50
_FIRST_FETCH = 30
_SSH_SETTING = ["config", "--get", "core.sshCommand"]


class Mirror:
    """The mirror of one branch. One process at a time writes it; any number may read.

    `timeout` is how many seconds one exchange with the repository may take; the first fetch, which brings
    everything, may take thirty times as long once the repository has answered.
    """

    def __init__(self, place: Address, directory: Path, branch: str, timeout: float) -> None:
        self.git_dir = directory
        self.branch = branch
        self.timeout = timeout
        self._address = place
        self._there = LocalRefs(place.path) if place.path else None
        self._mine = LocalRefs(directory)
        self._writer = threading.Lock()
        self._talking = Talking()

    @classmethod
    def open(cls, url: str, directory: Path, branch: str, *, base: Path | None = None, timeout: float = 120) -> Mirror:
        """The mirror in `directory`, made if need be; nothing is fetched yet.

        A relative `url` begins at `base`. A directory that is no sound mirror is moved aside. Raises WrongUse
        for an address or branch that git must not be given, GitError when the directory cannot be written.
        """
        # Absolute, so that it does not matter where the process goes later.
        mirror = cls(address(url, base), directory.absolute(), checked_branch(branch), timeout)
        with mirror._writing():
            mirror._prepare(thoroughly=True)
        return mirror

    @property
    def url(self) -> str:
        """The address, without credentials."""
        return self._address.url

    @property
    def is_local(self) -> bool:
        """Whether the repository is on this machine, so that it can be watched."""
        return self._there is not None

    def head(self) -> str | None:
        """The commit that the branch was at when it was last fetched; None before that. Starts no process."""
        try:
            return self._mine.read(self._here)
        except (OSError, Unreadable):
            return None

    def remote_head(self) -> str | None:
        """The commit that the branch is at now, there; None when there is no such branch.

        Starts no process for a repository on this machine. Raises GitUnreachable.
        """
        if self._there is not None:
            try:
                return self._there.read(self._name)
            except Unreadable:
                pass  # git can read what we cannot
            except OSError as error:
                raise trouble.gone(self.url, error) from error
        status, printed, said = self._git(["ls-remote", "--quiet", "--", "origin", self._name])
        if status != 0:
            raise trouble.unreachable(self.url, said)
        found = (line.partition("\t") for line in printed.splitlines())
        return next((commit for commit, _, name in found if name == self._name), None)

    def fetch(self, there: str | None = None) -> str | None:
        """Fetch the branch, wherever it went, and say what it is at; None when there is no such branch.

        `there` is what `remote_head` said just now, where the caller knows it. Nothing is fetched from a repository
        on this machine whose branch is where it was. Raises GitUnreachable; what was fetched before stays.
        """
        if self._there is not None:
            there = there or self.remote_head()
            if there is None or there == self.head():
                return there
            self._refuse_if_shallow(self._there.common_dir())
        with self._writing():
            self._prepare()
            if self._there is None and self._begins():
                self.remote_head()  # one that never answers is not waited for as long as everything may take
            with telemetry.stage("fetch") as stage:
                status, said = self._fetch()
                stage.failed = status != 0
            self._refuse_if_shallow(self.git_dir)
        if status == 0:
            return self.head()
        if trouble.no_such_branch(said):
            return None
        raise trouble.unreachable(self.url, said)

    def point(self, head: str) -> None:
        """Let the branch be at a commit that is here already, or that is borrowed: nothing is fetched."""
        here = self.git_dir / self._here
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_text(f"{head}\n", encoding="ascii")

    def renew(self) -> str | None:
        """Move the mirror aside and fetch everything anew, after a GitCorrupt. Raises GitUnreachable.

        The old one is only given up when the repository answers.
        """
        with self._writing():
            self._prepare()
        self.remote_head()
        with self._writing():
            self._move_aside()
        return self.fetch()

    def tidy(self) -> bool:
        """Put what many fetches brought into one pack, if there are many; says whether there were.

        For a quiet moment: it takes seconds where there are 100,000 files. Readers are not disturbed, and nobody who
        writes just now is waited for.
        """
        if sum(1 for _ in (self.git_dir / "objects" / "pack").glob("*.pack")) <= _PACKS:
            return False
        try:
            with self._writing(at_once=True):
                status, _, said = self._git(["repack", "-a", "-d", "--keep-unreachable", "--quiet"])
        except BlockingIOError:
            return False
        if status != 0:
            raise damaged(complaint(said))
        return True

    def end(self) -> None:
        """Give up what is asked of the repository just now, and ask it nothing more."""
        self._talking.end()

    def watch_paths(self) -> list[Path]:
        """Directories in which something changes when the branch moves; none for a remote repository.

        What changes there may be anything: look at `remote_head` afterwards.
        """
        common = self._there.common_dir() if self._there else None
        if common is None:
            return []
        places = [common, common / "refs" / "heads", (common / self._name).parent, common / "reftable"]
        return [place.resolve() for place in dict.fromkeys(places) if place.is_dir()]

    # How

    @property
    def _name(self) -> str:
        return f"refs/heads/{self.branch}"

    @property
    def _here(self) -> str:
        return f"refs/remotes/origin/{self.branch}"

    def _git(self, arguments: Sequence[str]) -> tuple[int, str, str]:
        """Exit status, output and messages. What must not be seen in a list of processes is in variables."""
        settings = [("http.lowSpeedLimit", "1000"), ("http.lowSpeedTime", "60")]
        environment = talking_environment(self.git_dir) | self._address.environment(settings) | self._ssh
        patience = self.timeout * _FIRST_FETCH if arguments[0] == "fetch" and self._begins() else self.timeout
        status, printed, said = self._talking.run(arguments, self.git_dir.parent, environment, patience)
        return status, printed, self._address.scrub(said)

    @cached_property
    def _ssh(self) -> dict[str, str]:
        if self.is_local:
            return {}
        return unattended_ssh(lambda: self._talking.run(_SSH_SETTING, self.git_dir.parent, {}, self.timeout)[1])

    def _begins(self) -> bool:
        """Whether the next fetch brings everything: there is no branch yet, nor anybody whose objects are borrowed."""
        try:
            borrows = bool((self.git_dir / "objects" / "info" / "alternates").stat().st_size)
        except OSError:
            borrows = False
        fetched = (self.git_dir / "refs" / "remotes").rglob("*")
        return not borrows and self.head() is None and not any(path.is_file() for path in fetched)

    def _fetch(self) -> tuple[int, str]:
        status, said = self._fetch_once()
        made_with = trouble.other_hash(said)
        if made_with:
            self._move_aside()
            self._prepare(made_with)
            return self._fetch_once()
        if status != 0 and not trouble.is_remote(said) and not self._sound():
            self._move_aside()
            self._prepare()
            return self._fetch_once()
        return status, said

    def _fetch_once(self) -> tuple[int, str]:
        options = ["--quiet", "--force", "--no-tags", "--no-recurse-submodules"]
        options += ["--no-auto-maintenance", "--no-write-fetch-head"]
        what = ["--end-of-options", "origin", f"+{self._name}:{self._here}"]
        status, _, said = self._git(["fetch", *options, _FILTER, *what])
        if status != 0 and "filter" in said and not trouble.is_remote(said):
            # Servers without filters ignore the wish; should one refuse it, it is not worth failing for.
            status, _, said = self._git(["fetch", *options, *what])
        return status, said

    def _prepare(self, made_with: str = "sha1", *, thoroughly: bool = False) -> None:
        """See to it that there is a mirror to fetch into. Only called by the one who writes."""
        try:
            if not self._looks_whole() or (thoroughly and not self._opens()):
                self._move_aside()
                self.git_dir.mkdir(parents=True)
                arguments = ["init", "--quiet", "--bare", "--template=", f"--object-format={made_with}"]
                status, _, said = self._git(arguments)
                if status != 0:
                    raise trouble.unwritable(self.git_dir, said)
            self._clear_the_way()
        except OSError as error:
            raise trouble.unwritable(self.git_dir, error.strerror or str(error)) from error

    def _opens(self) -> bool:
        return ask(self.git_dir, ["rev-parse", "--git-dir"], good=range(256))[0] == 0

    def _looks_whole(self) -> bool:
        files = all((self.git_dir / name).is_file() for name in ("HEAD", "config"))
        return files and all((self.git_dir / name).is_dir() for name in ("objects", "refs"))

    def _clear_the_way(self) -> None:
        """Remove what a fetch that was killed left behind; we are the only one who writes."""
        for left in _left_behind(str(self.git_dir)):
            Path(left).unlink(missing_ok=True)
        # The branch `a` of yesterday and `a/b` of today cannot be next to each other.
        here = self.git_dir / self._here
        if here.is_dir():
            shutil.rmtree(here)
        for parent in here.parents:
            if parent.is_file():
                parent.unlink()

    def _refuse_if_shallow(self, git_dir: Path | None) -> None:
        """A history that is cut off would look like a damaged mirror to everybody who follows it."""
        if git_dir is not None and (git_dir / "shallow").exists():
            if git_dir == self.git_dir:
                self._move_aside()
            raise trouble.unreachable(self.url, trouble.SHALLOW)

    def _sound(self) -> bool:
        head = self.head()
        if head is None:
            return not (self.git_dir / self._here).exists()
        return self._git(["rev-list", "--objects", "--max-count=1", "--quiet", head])[0] == 0

    def _move_aside(self) -> None:
        """Keep what is there under another name, for whoever wants to look; the one before it goes."""
        aside = self.git_dir.with_name(f"{self.git_dir.name}.broken")
        try:
            if self.git_dir.exists():
                shutil.rmtree(aside, ignore_errors=True)
                self.git_dir.rename(aside)
        except OSError as error:
            raise trouble.unwritable(self.git_dir, error.strerror or str(error)) from error

    @contextmanager
    def _writing(self, *, at_once: bool = False) -> Iterator[None]:
        """Nobody else writes the mirror meanwhile, in this process or another; a killed one holds nothing.

        `at_once`: raise BlockingIOError where somebody does, and wait for nobody.
        """
        if not self._writer.acquire(blocking=not at_once):
            raise BlockingIOError
        try:
            try:
                self.git_dir.parent.mkdir(parents=True, exist_ok=True)
                lock = self.git_dir.with_name(f"{self.git_dir.name}.lock").open("w")
            except OSError as error:
                raise trouble.unwritable(self.git_dir, error.strerror or str(error)) from error
            with lock:
                fcntl.flock(lock, fcntl.LOCK_EX | (fcntl.LOCK_NB if at_once else 0))
                yield
        finally:
            self._writer.release()


def _left_behind(git_dir: str) -> list[str]:
    """Locks and unfinished packs. Looked for before every fetch, so with the quickest means."""
    found = [entry.path for entry in os.scandir(git_dir) if entry.name.endswith(".lock")]
    for directory, _, names in os.walk(os.path.join(git_dir, "refs")):
        found += [os.path.join(directory, name) for name in names if name.endswith(".lock")]
    packs = os.path.join(git_dir, "objects", "pack")
    if os.path.isdir(packs):
        names = [entry.name for entry in os.scandir(packs)]
        found += [os.path.join(packs, name) for name in names if name.endswith(".keep") or name.startswith("tmp_")]
    return found
