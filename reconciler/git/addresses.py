"""Which repositories and branches are accepted, and how is an address shown?

An address comes from settings and a branch name may come from anywhere, so both are checked before git sees
them: nothing that git would take for an option, no transport that runs a program. Credentials in an address
are taken out of it: git gets them through its environment, and nobody ever sees them. Talking to the
repository belongs to `mirror`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from reconciler.errors import WrongUse

_SCHEMES = ("file", "git", "http", "https", "ssh")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# git takes `helper::address` for a program to run.
_HELPER = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]*::")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_USER_INFORMATION = re.compile(r"(?<=://)[^/\s'\"]*@")
# What git allows in a reference, and stricter: no backslash, no leading dash.
_NOT_IN_A_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{|\.lock(?:/|$)|(?:^|/)\.|\.$|/$|^/|^-|^@$")
_HELPER_SCRIPT = (
    '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" '
    '"$RECONCILER_GIT_USERNAME" "$RECONCILER_GIT_PASSWORD"; }; f'
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a repository is. `url` is what git is given and safe to show: it holds no credentials."""

    url: str
    path: Path | None = None
    """The directory of a repository on this machine; None for a remote one."""
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    def environment(self, more: Sequence[tuple[str, str]] = ()) -> dict[str, str]:
        """Variables by which git finds the address as `origin`, and the credentials; and more settings."""
        settings = [("remote.origin.url", self.url), *more]
        secrets = {}
        if self.username is not None:
            settings += [("credential.helper", ""), ("credential.helper", _HELPER_SCRIPT)]
            secrets = {
                "RECONCILER_GIT_USERNAME": self.username,
                "RECONCILER_GIT_PASSWORD": self.password or "",
            }
        return configuration(settings) | secrets

    def scrub(self, message: str) -> str:
        """A message of git without any credential, ours or in another address."""
        for secret in (self.password, self.username):
            if secret and len(secret) > 3:
                message = message.replace(secret, "…")
        return without_credentials(message)


def without_credentials(message: str) -> str:
    """Text in which no address has a user or a password any more."""
    return _USER_INFORMATION.sub("", message)


def configuration(settings: list[tuple[str, str]]) -> dict[str, str]:
    """Environment variables that add to git's configuration, after those that are set already.

    They are not seen in the list of processes, as `git -c` would be.
    """
    count = os.environ.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    variables = {"GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings, start=first):
        variables |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return variables


def address(url: str, base: Path | None = None) -> Address:
    """The address that a setting means; relative paths begin at `base` (default: the working directory).

    Raises WrongUse for what git must not be given.
    """
    if not url or _CONTROL.search(url):
        raise WrongUse("The address of the repository is empty or holds a control character", _REMEDY)
    if url.startswith("-"):
        raise WrongUse("The address of the repository begins with a dash, as an option of git does", _REMEDY)
    if _HELPER.match(url):
        raise WrongUse("The address of the repository names a program to run (…::…)", _REMEDY)
    scheme = _SCHEME.match(url)
    if scheme:
        return _of_url(url, scheme.group(1).lower())
    # As git has it: a colon before the first slash is a host, everything else a path.
    if ":" in url.split("/", 1)[0]:
        if "-" in (url[0], url.split("@", 1)[-1][0:1]):
            raise WrongUse("The host in the address of the repository begins with a dash", _REMEDY)
        return Address(url)
    return _of_path((base or Path.cwd()) / Path(url).expanduser())


_REMEDY = "Set repository.url to a path, or to a file, git, http, https or ssh address."


def _of_url(url: str, scheme: str) -> Address:
    if scheme not in _SCHEMES:
        raise WrongUse(f"The address of the repository has the scheme {scheme!r}", _REMEDY)
    try:
        parts = urlsplit(url)
        host, username, password = parts.hostname, parts.username, parts.password
    except ValueError as error:
        raise WrongUse("The address of the repository cannot be read", _REMEDY) from error
    if scheme == "file":
        return _of_path(Path(unquote(parts.path)))
    if not host or host.startswith("-") or (username or "").startswith("-"):
        raise WrongUse("The address of the repository names no proper host", _REMEDY)
    if scheme in ("git", "ssh"):
        # Over ssh the user is part of the address; a password in it is of no use to ssh.
        netloc = parts.netloc if password is None else f"{username}@{parts.netloc.rpartition('@')[2]}"
        return Address(urlunsplit(parts._replace(netloc=netloc)))
    plain = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    if username is None and password is None:
        return Address(plain)
    secrets = unquote(username or ""), unquote(password or "")
    if any(_CONTROL.search(secret) for secret in secrets):
        raise WrongUse("The credentials in the address of the repository hold a control character", _REMEDY)
    return Address(plain, None, *secrets)


def _of_path(path: Path) -> Address:
    whole = Path(os.path.abspath(path))
    return Address(str(whole), whole)


def branch(name: str) -> str:
    """The name of a branch, as it is. Raises WrongUse when git would refuse it or take it for an option."""
    plain = name.removeprefix("refs/heads/")
    if not plain or len(plain) > 1000 or _NOT_IN_A_BRANCH.search(plain):
        raise WrongUse(
            f"{name[:80]!r} cannot be the name of a branch", "Set repository.branch to a branch such as main."
        )
    return plain
