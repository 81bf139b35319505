"""How does a commit get onto a branch of another repository, and what is in the way if it does not?

A push that only succeeds when the branch there is where the caller saw it last. Hooks of the repository here are not
run; those of the other one are, and what they say is passed on, without any credential. Making the commit belongs to
`writing`.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from reconciler.errors import GitError, GitUnreachable, NotSo, ReconcilerError
from reconciler.git.addresses import Address, address
from reconciler.git.processes import complaint, not_started, outside_of_hooks, talking_environment, unattended_ssh
from reconciler.git.shapes import full_id
from reconciler.git.trouble import TOO_LATE
from reconciler.git.writing import Workshop, branch_name
from reconciler.words import plain

_SETTINGS = (("core.hooksPath", os.devnull), ("http.lowSpeedLimit", "1000"), ("http.lowSpeedTime", "60"))
_OPTIONS = ["--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"]
_RACED = ("stale info", "fetch first", "non-fast-forward", "reference already exists", "failed to update ref")
_RIGHTS = (
    r"Authentication failed|could not read (?:Username|Password)|HTTP Basic: Access denied|returned error: 40[13]"
    r"|Permission (?:to \S+ )?denied|terminal prompts disabled|denied to|not allowed to (?:push|upload)|read-only"
    r"|insufficient permission|unable to create temporary object directory|unpacker error|service not enabled"
)
_NO_REPOSITORY = (
    r"does not appear to be a git repository|[Rr]epository (?:'[^']*' )?not found|returned error: 404|does not exist"
)
_SAID_THERE = re.compile(r"^remote: ?(.*?)\s*$", re.MULTILINE)


def push(
    repository: Path,
    url: str,
    commit: str,
    branch: str,
    expected: str | None,
    *,
    followed: str,
    even_followed: bool = False,
    base: Path | None = None,
    timeout: float = 120,
) -> None:
    """Put a branch of the repository at `url` at a commit; done already is done.

    `expected` is where the branch there is now, None for a new one. The branch `followed` is never set unless
    `even_followed`, and even then only moved forward. A relative `url` begins at `base`; `timeout` is in seconds.
    Raises WrongUse for an address or a name that git must not be given, NotSo when the other side refuses (no right,
    a protected branch, a hook) or the branch is elsewhere by now, GitUnreachable when it does not answer.
    """
    name, place = branch_name(branch), address(url, base)
    if name == branch_name(followed) and not even_followed:
        raise NotSo(f"{name} is the branch that is followed", "Push another one and open a pull request.")
    with Workshop(repository) as workshop:
        workshop.tree_of(commit)
        if name == branch_name(followed) and expected is not None:
            workshop.tree_of(expected)
            if workshop.run(["merge-base", "--is-ancestor", expected, commit])[0] != 0:
                raise NotSo(f"{commit[:12]} does not build on {name} as it is", "Make the commit on top of it again.")
        reference = f"refs/heads/{name}"
        lease = f"--force-with-lease={reference}:{full_id(expected) if expected else ''}"
        what = ["push", *_OPTIONS, lease, "--end-of-options", place.url, f"{commit}:{reference}"]
        status, printed, said = talk(what, workshop.git_dir, place, timeout)
    if status != 0:
        raise refused(place, f"branch {name}", printed, place.scrub(said))


def talk(arguments: Sequence[str], git_dir: Path, place: Address, timeout: float) -> tuple[int, str, str]:
    """Exit status, output and messages of a git command that talks to another repository."""
    environment = {**os.environ, **talking_environment(git_dir), **place.environment(_SETTINGS), **_ssh(git_dir, place)}
    try:
        process = subprocess.Popen(
            [*outside_of_hooks(), "git", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=git_dir,
            env=environment,
            # No terminal, so that nothing can ask there; and one group to end.
            start_new_session=True,
        )
    except OSError as error:
        raise not_started(error) from error
    with process:
        try:
            printed, said = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            printed, said = process.communicate()
            said += f"\n{TOO_LATE}".encode()
    return process.returncode, printed.decode(errors="replace"), said.decode(errors="replace")


def _ssh(git_dir: Path, place: Address) -> Mapping[str, str]:
    if place.path is not None:
        return {}
    setting = [*outside_of_hooks(), "git", f"--git-dir={git_dir}", "config", "--get", "core.sshCommand"]
    return unattended_ssh(lambda: subprocess.run(setting, capture_output=True, check=False).stdout)


def raced(printed: str) -> bool:
    """Whether a push did not go through since somebody else was quicker."""
    why = next((line.split("\t")[-1] for line in printed.splitlines() if line.startswith("!")), "")
    return any(reason in why for reason in _RACED)


def refused(place: Address, what: str, printed: str, said: str) -> ReconcilerError:
    """Why a push did not go through, as an error; `what` was pushed."""
    why = next((line.split("\t")[-1] for line in printed.splitlines() if line.startswith("!")), "")
    there = plain(" ".join(line for line in _SAID_THERE.findall(said) if line))[:500]
    words = f": {there}" if there else ""
    if TOO_LATE in said:
        return GitUnreachable(
            f"{place.url} did not answer in time", "Try again: what arrived already is not sent twice."
        )
    if raced(printed):
        return NotSo(
            f"The {what} of {place.url} is not where it was seen last",
            "Fetch it, look at it again, then repeat.",
        )
    if "protected branch" in f"{why}{there}".lower() or "hook declined" in why:
        cause = "its rules protect it" if "protected" in f"{why}{there}".lower() else "a hook declined"
        return NotSo(f"{place.url} refuses the {what}: {cause}{words}", "Follow its rules, or choose another name.")
    if re.search(_RIGHTS, f"{why}\n{said}"):
        return NotSo(
            f"{place.url} does not let us push{words}", "Check the credentials and that their owner may write there."
        )
    if why:
        reason = plain(place.scrub(why))
        return NotSo(f"{place.url} refuses the {what}: {reason}{words}", "Correct that, then repeat.")
    if re.search(_NO_REPOSITORY, said):
        return GitUnreachable(f"There is no repository at {place.url}", "Check the address.")
    told = plain(complaint(said)).removeprefix("fatal: ").removeprefix("error: ")
    error = GitUnreachable if "fatal:" in said else GitError
    return error(f"Nothing could be pushed to {place.url}: {told}", "Try again when it answers.")
