"""Commits signed with real keys, made where a test runs, and the question whether they are believed.

Fixtures for the tests of signatures; what a test expects does not belong here. Needs ssh-keygen, gpg and
gpg-agent (Debian: openssh-client, gnupg).
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.git.objects import Objects
from reconciler.git.verifying import Judgement, Keys, verify
from tests.gitrepo import Repo


def ran(*command: str, stdin: bytes = b"", **variables: str) -> str:
    done = subprocess.run(command, input=stdin, capture_output=True, env={**os.environ, **variables})
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


class Smith:
    """Makes keys, and commits signed with them."""

    def __init__(self, folder: Path, gnupg: Path) -> None:
        self.folder = folder
        self.gnupg = gnupg

    def ssh(self, name: str) -> str:
        """A new key pair; the public line."""
        ran("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.folder / name))
        return (self.folder / f"{name}.pub").read_text().strip()

    def gpg(self, *arguments: str, stdin: bytes = b"") -> str:
        return ran("gpg", "--batch", "--quiet", "--no-tty", *arguments, stdin=stdin, GNUPGHOME=str(self.gnupg))

    def gpg_key(self, who: str, expires: str = "never", *options: str) -> str:
        """A new key pair; its fingerprint."""
        self.gpg(*options, "--passphrase", "", "--quick-gen-key", who, "ed25519", "sign", expires)
        listed = [line.split(":") for line in self.gpg("--with-colons", "--list-keys", f"={who}").splitlines()]
        return next(line[9] for line in listed if line[0] == "fpr")  # codespell:ignore fpr

    def gpg_program(self, *options: str) -> str:
        """gpg in this smithy, as git can be told to start it."""
        program = self.folder / f"gpg{len(list(self.folder.iterdir()))}"
        program.write_text(
            f"#!/bin/sh\nexec gpg --homedir '{self.gnupg}' --batch --no-tty {' '.join(options)} \"$@\"\n"
        )
        program.chmod(0o755)
        return str(program)

    def exported(self, *names: str) -> Path:
        """A file with these keys, or all."""
        file = self.folder / "exported.asc"
        file.write_text(self.gpg("--armor", "--export", *names))
        return file


@pytest.fixture(scope="module")
def smith(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Smith]:
    # An agent's socket must have a short name.
    with tempfile.TemporaryDirectory(prefix="g", ignore_cleanup_errors=True) as gnupg:
        yield Smith(tmp_path_factory.mktemp("smith"), Path(gnupg))
        ran("gpgconf", "--kill", "gpg-agent", GNUPGHOME=gnupg)


@pytest.fixture(scope="module")
def ada(smith: Smith) -> str:
    return smith.ssh("ada")


@pytest.fixture(scope="module")
def grace(smith: Smith) -> str:
    return smith.gpg_key("Grace Hopper <grace@example.org>")


class Signed:
    """A repository with signed commits, and the question of this module."""

    def __init__(self, repo: Repo, smith: Smith) -> None:
        self.repo = repo
        self.smith = smith
        self.objects = Objects(repo.path / ".git")

    def ssh(self, message: str, name: str = "ada") -> str:
        return self._sign(message, "gpg.format=ssh", f"user.signingKey={self.smith.folder / name}")

    def gpg(self, message: str, key: str, *options: str) -> str:
        return self._sign(message, f"gpg.program={self.smith.gpg_program(*options)}", f"user.signingKey={key}")

    def _sign(self, message: str, *settings: str) -> str:
        given = [word for one in settings for word in ("-c", one)]
        self.repo.git(*given, "commit", "--quiet", "--allow-empty", "--gpg-sign", "-m", message)
        return self.repo.head

    def forged(self, commit: str, change: Callable[[bytes], bytes]) -> str:
        """The same commit with other bytes."""
        raw = subprocess.run(["git", "cat-file", "commit", commit], cwd=self.repo.path, capture_output=True, check=True)
        made = change(raw.stdout)
        assert made != raw.stdout
        return self.repo.git("hash-object", "-t", "commit", "--literally", "-w", "--stdin", stdin=made)

    def allowed(self, *lines: str) -> Keys:
        file = self.repo.path.parent / "allowed"
        file.write_text("".join(f"{line}\n" for line in lines))
        return Keys(ssh=file)

    def look(self, commit: str, keys: Keys) -> Judgement:
        return verify(self.objects, [commit], keys)[commit]


@pytest.fixture
def signed(tmp_path: Path, smith: Smith) -> Iterator[Signed]:
    found = Signed(Repo.create(tmp_path / "desired"), smith)
    yield found
    found.objects.close()
