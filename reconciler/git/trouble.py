"""Why could the repository not be fetched, and what happens next? git's messages, sorted.

Pure: text in, error out. Messages are scrubbed of credentials before they come here.
"""

from __future__ import annotations

import re
from pathlib import Path

from reconciler.errors import GitError, GitUnreachable
from reconciler.git.processes import complaint

_LATER = "It is tried again with the next poll; until then the last fetched commit stays in force."
_OWNER = re.compile(r"dubious ownership in repository at '([^'\n]+)'")

TOO_LATE = "fatal: given up, no answer"
SHALLOW = "shallow update not allowed"
# Each: what git says, what that means, what somebody has to do (before it is tried again).
_CAUSES = (
    (r"dubious ownership", "it belongs to another user, whom git does not trust", ""),
    (
        r"Authentication failed|could not read (?:Username|Password)|HTTP Basic: Access denied"
        r"|returned error: 40[13]|Permission denied \(publickey|terminal prompts disabled",
        "it wants credentials, or refuses those it got",
        "Check the credentials in repository.url, git's credential helper, or the ssh key.",
    ),
    (
        r"Host key verification failed",
        "its host key is not known",
        "Add the host to known_hosts of the user that runs the daemon.",
    ),
    (
        r"does not appear to be a git repository|not a git repository|does not exist"
        r"|[Rr]epository (?:'[^']*' )?not found|returned error: 404|could not be found|No such file or directory",
        "there is no repository at this address",
        "Check repository.url.",
    ),
    (
        SHALLOW,
        "it is a shallow clone, whose history is cut off",
        "Run git fetch --unshallow there, or name the repository that it was cloned from.",
    ),
    (r"No space left on device", "the disk is full", "Free some space in the data directory."),
    (TOO_LATE, "it did not answer in time", ""),
    (
        r"Could not resolve host|Temporary failure in name resolution|Connection (?:refused|timed out|reset)"
        r"|Failed to connect|Network is unreachable|No route to host|early EOF|hung up unexpectedly",
        "its host does not answer",
        "",
    ),
)


def unreachable(url: str, said: str) -> GitUnreachable:
    """The error for a fetch that failed with these messages. `url` holds no credentials."""
    causes = ((meaning, remedy) for pattern, meaning, remedy in _CAUSES if re.search(pattern, said))
    meaning, remedy = next(causes, (complaint(said).removeprefix("fatal: "), ""))
    owned = _OWNER.search(said)
    if owned:
        remedy = (
            f"As the user that runs the daemon: git config --global --add safe.directory '{owned.group(1)}'"
            " (or give that user the repository)."
        )
    return GitUnreachable(f"The repository {url} cannot be fetched: {meaning}", f"{remedy} {_LATER}".strip())


def gone(url: str, error: OSError) -> GitUnreachable:
    """The error for a repository on this machine that cannot be opened."""
    if isinstance(error, FileNotFoundError):
        return unreachable(url, "does not exist")
    return unreachable(url, error.strerror or str(error))


def unwritable(directory: Path, said: str) -> GitError:
    """The error for a mirror that cannot be made where it should be."""
    return GitError(
        f"The mirror {directory} cannot be written: {complaint(said).removeprefix('fatal: ')}",
        "See to the rights and the space in the data directory (setting `data`); it is tried again.",
    )


def is_remote(said: str) -> bool:
    """Whether these messages speak of the repository or the way there, and not of the mirror."""
    return no_such_branch(said) or any(re.search(pattern, said) for pattern, _, _ in _CAUSES)


def no_such_branch(said: str) -> bool:
    """Whether the repository answered that it has no such branch, as an empty one does."""
    return "couldn't find remote ref" in said


def other_hash(said: str) -> str | None:
    """The hash that the repository is made with, when the mirror was made with another one."""
    found = re.search(r"mismatched algorithms: client \w+; server (sha1|sha256)", said)
    return found.group(1) if found else None
