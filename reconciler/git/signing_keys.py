"""Whose signatures count, and where do these keys lie while git checks with them?

The keys are copied into a private directory that is gone afterwards, so neither the machine's own keyrings nor
a file that changes meanwhile have a say, and nothing is written to where the keys are kept. What a signature
is worth is told in `signatures`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from reconciler.git.processes import reading_environment

LARGEST = 32 << 20
"""How many bytes of keys are read."""
_RINGS = ("pubring.kbx", "pubring.gpg")
_SECONDS = 120
# Who it is, perhaps options, and then the key as OpenSSH writes it.
_ALLOWED = re.compile(rb"^[ \t]*(?:\"[^\"\n]+\"|[^\s#\"]\S*)[ \t].*?(?:ssh|ecdsa|sk)-\S+[ \t]+AAAA", re.MULTILINE)
# Armoured, or the first byte of a packet that holds one.
_SECRET = re.compile(rb"[\x94-\x97\xc5]|.*-----BEGIN PGP PRIVATE KEY BLOCK-----", re.DOTALL)
# No agent and no network: only public keys are read.
_GPG_CONF = "batch\nno-tty\nno-autostart\nno-auto-key-retrieve\ndisable-dirmngr\ntrust-model always\n"


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the keys are whose signatures count; None where signatures of that kind count for nothing."""

    ssh: Path | None = None
    """An allowed-signers file, as git's `gpg.ssh.allowedSignersFile` names one."""
    gpg: Path | None = None
    """A GnuPG home directory, or a file with exported public keys. Every key in it counts, whatever trust was
    given to it: a directory kept for this purpose, and not somebody's own."""


class Unusable(Exception):
    """Keys that cannot be used; the text says why and what to do."""


def keys_digest(keys: Keys) -> str:
    """64 hexadecimal digits that change when the key files do, or whether they can be read; raises nothing."""
    whole = hashlib.sha256()
    for kind, path in (("ssh", keys.ssh), ("gpg", keys.gpg)):
        for name, content in _contents(path):
            part = hashlib.sha256(content).hexdigest()
            whole.update(f"{kind} {name} {part}\n".encode())
    return whole.hexdigest()


def _contents(path: Path | None) -> Iterator[tuple[str, bytes]]:
    if path is None:
        return
    for place in [path / ring for ring in _RINGS] if path.is_dir() else [path]:
        try:
            yield place.name, _read(place)
        except Unusable as wrong:
            yield "unusable", str(wrong).encode("utf-8", "surrogateescape")


@contextmanager
def copied(keys: Keys) -> Iterator[Copies]:
    """A private directory for the keys, into which each kind is copied when it is first asked for.

    Raises OSError when there is no room for it.
    """
    with TemporaryDirectory(prefix="signing-", ignore_cleanup_errors=True) as folder:
        yield Copies(keys, folder)


def unusable(keys: Keys) -> dict[str, str]:
    """Which of the keys that are set cannot be used, `ssh` or `gpg`: why, and what to do. Raises nothing."""
    found: dict[str, str] = {}
    try:
        with copied(keys) as copies:
            for kind, path, read in (
                ("ssh", keys.ssh, copies.allowed_signers),
                ("gpg", keys.gpg, copies.fingerprints),
            ):
                try:
                    if path is not None:
                        read()
                except Unusable as wrong:
                    found[kind] = str(wrong)
    except OSError as wrong:
        kind = "ssh" if keys.ssh is not None else "gpg"
        found[kind] = f"the keys cannot be copied: {wrong.strerror or wrong} (make room for temporary files)"
    return found


class Copies:
    """The keys of one round of verifying. Not for several threads at once."""

    def __init__(self, keys: Keys, folder: str) -> None:
        self.folder = folder
        self._keys = keys
        self._home = os.path.join(folder, "gnupg")
        self._fingerprints: frozenset[str] | Unusable | None = None
        self._allowed: str | Unusable | None = None
        os.mkdir(self._home, 0o700)

    @property
    def environment(self) -> Mapping[str, str]:
        """All variables of a git process that verifies: no home, keyring or configuration but those here."""
        return reading_environment() | {"HOME": self.folder, "GNUPGHOME": self._home, "TMPDIR": self.folder}

    def allowed_signers(self) -> str:
        """The path of the allowed-signers file. Raises Unusable."""
        if self._allowed is None:
            try:
                self._allowed = self._copy_allowed_signers()
            except Unusable as wrong:
                self._allowed = wrong
        if isinstance(self._allowed, Unusable):
            raise self._allowed
        return self._allowed

    def fingerprints(self) -> frozenset[str]:
        """The fingerprints of all primary keys, which are then in GNUPGHOME. Raises Unusable."""
        if self._fingerprints is None:
            try:
                self._fingerprints = self._copy_keyring()
            except Unusable as wrong:
                self._fingerprints = wrong
        if isinstance(self._fingerprints, Unusable):
            raise self._fingerprints
        return self._fingerprints

    def _copy_allowed_signers(self) -> str:
        if self._keys.ssh is None:
            raise Unusable("no allowed-signers file is set (name one to let SSH signatures count)")
        if shutil.which("ssh-keygen") is None:
            raise Unusable("ssh-keygen is not found (install OpenSSH's client where the daemon runs)")
        content = _read(self._keys.ssh)
        if not _ALLOWED.search(content):
            raise Unusable(
                f"{self._keys.ssh} is no allowed-signers file (write lines such as: ada@example.org ssh-ed25519 AAAA…)"
            )
        return self._keep("allowed-signers", content)

    def _copy_keyring(self) -> frozenset[str]:
        path = self._keys.gpg
        if path is None:
            raise Unusable("no GnuPG keys are set (name a file of exported public keys to let GPG signatures count)")
        with open(os.path.join(self._home, "gpg.conf"), "x") as file:
            file.write(_GPG_CONF)
        if path.is_dir():
            self._copy_rings(path)
        else:
            content = _read(path)
            if _SECRET.match(content):
                raise Unusable(f"{path} holds secret keys (write public ones with: gpg --armor --export NAME > FILE)")
            # One key that gpg does not take is no reason to go without the others.
            self._gpg("--import", self._keep("exported", content))
        listed = [line.split(":") for line in self._gpg("--with-colons", "--list-keys").splitlines()]
        # A key's own fingerprint follows it; those further down are its subkeys'.
        found = frozenset(
            line[9]
            for before, line in pairwise(listed)
            if before[0] == "pub" and line[0] == "fpr"  # codespell:ignore fpr
        )
        if not found:
            raise Unusable(f"{path} holds no OpenPGP public key (write it with: gpg --armor --export NAME > FILE)")
        return found

    def _copy_rings(self, home: Path) -> None:
        rings = [name for name in _RINGS if (home / name).exists()]
        if not rings:
            raise Unusable(
                f"the directory {home} holds no {' or '.join(_RINGS)}"
                " (name a GnuPG home directory, or a file written with: gpg --armor --export NAME > FILE)"
            )
        for name in rings:
            self._keep(os.path.join("gnupg", name), _read(home / name))

    def _gpg(self, *arguments: str) -> str:
        options = ["--no-options", "--batch", "--no-tty", "--no-autostart", "--quiet", "--trust-model", "always"]
        try:
            done = subprocess.run(
                ["gpg", "--homedir", self._home, *options, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self.environment,
                timeout=_SECONDS,
                check=False,
            )
        except OSError as wrong:
            raise Unusable(f"gpg cannot be started: {wrong.strerror} (install GnuPG where the daemon runs)") from wrong
        except subprocess.TimeoutExpired as wrong:
            raise Unusable(f"gpg did not read {self._keys.gpg} within {_SECONDS} s (name fewer keys)") from wrong
        return done.stdout.decode("utf-8", "replace")

    def _keep(self, name: str, content: bytes) -> str:
        path = os.path.join(self.folder, name)
        with open(path, "xb") as file:
            file.write(content)
        return path


def _read(path: Path) -> bytes:
    try:
        # Without O_NONBLOCK a named pipe would wait for its writer for ever.
        with open(path, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unusable(f"{path} is no file (name a file with the keys)")
            content = file.read(LARGEST + 1)
    except OSError as wrong:
        raise Unusable(
            f"{path} cannot be read: {wrong.strerror} (name a file that the daemon can read, or correct its rights)"
        ) from wrong
    if len(content) > LARGEST:
        raise Unusable(f"{path} is over {LARGEST >> 20} MiB (name a file with only the keys that count)")
    return content
