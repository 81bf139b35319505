"""How is git started? One environment for every process, and one that stays open and is spoken to in lines.

No prompt can appear, nothing is fetched behind our back, and neither the repository that a hook runs in nor
the habits of an account change what is read. What is asked of git belongs to the modules that ask.
"""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from reconciler.errors import GitCorrupt, GitError

_CHUNK = 1 << 16
_SHORT = {errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC}
"""What the machine is short of for a while."""
# What git sets for its hooks, but for GIT_DIR, which we set ourselves: it would lead us to another repository.
_OF_A_REPOSITORY = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG_PARAMETERS",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)


def quiet_environment() -> dict[str, str]:
    """What every git process gets on top of ours: English messages, no prompt, no fetch on reading."""
    return {
        "LANGUAGE": "C",
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        # A missing object is an error that we want to see, not a reason to talk to a server.
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
        # What a repository declares as replaced must not replace what we read.
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_PAGER": "cat",
    }


def reading_environment() -> dict[str, str]:
    """The whole environment of a process that only reads: no configuration but the mirror's own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    nobody = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    return inherited | quiet_environment() | nobody


def talking_environment(git_dir: Path) -> dict[str, str]:
    """On top of our own variables, what a process gets that writes the mirror and talks to a server.

    The machine's configuration stays in force: it names proxies, certificates and credential helpers.
    """
    # Without a terminal and without these two nothing can ask for a password.
    askers = {"GIT_ASKPASS": os.environ.get("GIT_ASKPASS", ""), "SSH_ASKPASS_REQUIRE": "never"}
    return quiet_environment() | askers | {"GIT_DIR": str(git_dir)}


def unattended_ssh(is_configured: Callable[[], object]) -> dict[str, str]:
    """ssh must fail where it would ask, unless somebody chose himself how it is started: by a variable, or in a
    configuration that only the caller knows and that is looked at only if it matters."""
    if {"GIT_SSH", "GIT_SSH_COMMAND"} & os.environ.keys() or is_configured():
        return {}
    return {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=15"}


def outside_of_hooks() -> list[str]:
    """How a command begins that must forget the repository whose hook we run in; mostly it does not matter."""
    unset = [name for name in _OF_A_REPOSITORY if name in os.environ]
    return ["env", *(f"--unset={name}" for name in unset)] if unset else []


def command(git_dir: Path, arguments: Sequence[str]) -> list[str]:
    """A git command on a repository that is named, so that nobody searches for one."""
    return ["git", f"--git-dir={git_dir}", "--no-pager", *arguments]


class Died(Exception):
    """The process ended before it answered. `complaint` is what it printed last."""

    def __init__(self, complaint: str) -> None:
        super().__init__(complaint)
        self.complaint = complaint


class LineProcess:
    """A git process that takes lines and answers until it is closed. Not for several threads at once."""

    def __init__(self, git_dir: Path, arguments: Sequence[str]) -> None:
        # A file and not a pipe: nobody reads it while all goes well, and a full pipe would stop git.
        try:
            self._complaints: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise not_started(error) from error
        try:
            self._process = subprocess.Popen(
                command(git_dir, arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._complaints,
                env=reading_environment(),
                bufsize=_CHUNK,
                start_new_session=True,
            )
        except OSError as error:
            self._complaints.close()
            raise not_started(error) from error
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input: IO[bytes] = self._process.stdin
        self._output: IO[bytes] = self._process.stdout

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, lines: bytes) -> None:
        """Write whole lines and hand them over. Raises Died."""
        try:
            self._input.write(lines)
            self._input.flush()
        except OSError as error:
            raise Died(self._last_words()) from error

    def line(self) -> bytes:
        """One line of the answer, with its end. Raises Died."""
        line = self._output.readline()
        if not line.endswith(b"\n"):
            raise Died(self._last_words())
        return line

    def take(self, size: int) -> bytes:
        """Exactly so many bytes of the answer. Raises Died."""
        data = self._output.read(size)
        if len(data) != size:
            raise Died(self._last_words())
        return data

    def skip(self, size: int) -> None:
        """Read so many bytes of the answer and hold none of them. Raises Died."""
        while size:
            size -= len(self.take(min(size, _CHUNK)))

    def some(self) -> bytes:
        """What is there of the answer, at least one byte. Raises Died."""
        data = os.read(self._output.fileno(), _CHUNK)
        if not data:
            raise Died(self._last_words())
        return data

    def close(self) -> None:
        """End the process, in the middle of an answer if need be."""
        self._process.kill()
        self._process.wait()
        for stream in (self._input, self._output, self._complaints):
            # What was not handed over yet cannot be any more.
            try:
                stream.close()
            except OSError:
                continue

    def _last_words(self) -> str:
        self._process.kill()
        self._process.wait()
        self._complaints.seek(0)
        return complaint(self._complaints.read(_CHUNK).decode("utf-8", "replace"))


def ask(git_dir: Path, arguments: Sequence[str], *, good: Sequence[int] = (0,)) -> tuple[int, str]:
    """Run git once for its answer: exit status and standard output. Raises GitCorrupt on another status."""
    try:
        done = subprocess.run(
            command(git_dir, arguments),
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=reading_environment(),
        )
    except OSError as error:
        raise not_started(error) from error
    if done.returncode not in good:
        raise damaged(complaint(done.stderr.decode("utf-8", "replace")))
    return done.returncode, done.stdout.decode("utf-8", "surrogateescape")


def complaint(printed: str) -> str:
    """The line of git's messages that says most: the first `fatal` or `error`, else the last line."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (telling or lines[-1:] or ["git said nothing"])[0]


def damaged(detail: str) -> GitCorrupt:
    """The error for a mirror that does not answer as it should."""
    return GitCorrupt(f"The mirror cannot be read: {detail}", "It is made anew with the next fetch.")


def not_started(error: OSError, where: Mapping[str, str] = os.environ) -> GitError:
    """The error for a machine on which git cannot be started."""
    remedy = f"Install git 2.39 or newer so that it is found in PATH ({where.get('PATH', '')})."
    if error.errno in _SHORT:
        remedy = "It is tried again. Raise the limit (open files, processes, memory, disk) if this goes on."
    return GitError(f"git cannot be started: {error.strerror or error}", remedy)
