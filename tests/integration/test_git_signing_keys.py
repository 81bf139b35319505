"""Which keys count, what is told when they cannot be used, and is nothing of them left behind? With real keys."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import GitError
from reconciler.git.signing_keys import Keys, keys_digest
from reconciler.git.verifying import verify
from tests.signing import ada, grace, ran, signed, smith

# Fixtures, which pytest finds by their names here.
__all__ = ["ada", "grace", "signed", "smith"]


def fifo(path: Path) -> None:
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.mkdir()


def text(content: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(content) and None


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "cannot be read: No such file or directory (name a file that the daemon can read"),
        (fifo, "is no file"),
        (folder, "Is a directory"),
        (text("\n# nobody\n"), "is no allowed-signers file (write lines such as"),
        (text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5 ada@laptop\n"), "is no allowed-signers file"),
        (text("\x00\x01" * 1000), "is no allowed-signers file"),
    ],
    ids=["missing", "pipe", "directory", "empty", "a public key", "bytes"],
)
def test_allowed_signers_that_cannot_be_used_are_told(signed, ada, tmp_path, make, says):
    path = tmp_path / "allowed"
    make(path)
    found = signed.look(signed.ssh("Add shop"), Keys(ssh=path))
    assert (found.verdict, found.kind) == ("no-keys", "ssh")
    assert says in found.detail


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (fifo, "is no file"),
        (folder, "holds no pubring.kbx or pubring.gpg (name a GnuPG home directory"),
        (text("no key"), "holds no OpenPGP public key (write it with: gpg --armor --export"),
        (text("-----BEGIN PGP PRIVATE KEY BLOCK-----\n"), "holds secret keys"),
    ],
    ids=["missing", "pipe", "directory", "text", "secret"],
)
def test_gpg_keys_that_cannot_be_used_are_told(signed, grace, tmp_path, make, says):
    path = tmp_path / "keys"
    make(path)
    found = signed.look(signed.gpg("Add shop", grace), Keys(gpg=path))
    assert (found.verdict, found.kind) == ("no-keys", "gpg")
    assert says in found.detail


def test_keys_of_one_kind_do_not_judge_the_other(signed, smith, ada, grace):
    ssh, gpg = signed.ssh("One"), signed.gpg("Two", grace)
    allowed, exported = signed.allowed(f"ada@example.org {ada}").ssh, smith.exported(grace)
    only_ssh = verify(signed.objects, [ssh, gpg], Keys(ssh=allowed))
    only_gpg = verify(signed.objects, [ssh, gpg], Keys(gpg=exported))
    both = verify(signed.objects, [ssh, gpg], Keys(ssh=allowed, gpg=exported))
    assert [one.verdict for one in only_ssh.values()] == ["good", "no-keys"]
    assert [one.verdict for one in only_gpg.values()] == ["no-keys", "good"]
    assert [one.verdict for one in both.values()] == ["good", "good"]
    assert "no GnuPG keys are set" in only_ssh[gpg].detail
    assert "no allowed-signers file is set" in only_gpg[ssh].detail


def test_without_the_programs_it_is_told_what_to_install(signed, smith, ada, grace, tmp_path, monkeypatch):
    ssh, gpg = signed.ssh("One"), signed.gpg("Two", grace)
    keys = Keys(ssh=signed.allowed(f"ada@example.org {ada}").ssh, gpg=smith.exported(grace))
    assert signed.look(ssh, Keys()).verdict == "no-keys"  # opens the reader
    monkeypatch.setenv("PATH", str(tmp_path))
    found = verify(signed.objects, [ssh, gpg], keys)
    assert "install OpenSSH" in found[ssh].detail
    assert "install GnuPG" in found[gpg].detail


def test_without_room_for_the_keys_it_is_an_error(signed, ada, monkeypatch):
    commit = signed.ssh("One")
    assert signed.look(commit, Keys()).verdict == "no-keys"  # opens the reader
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    with pytest.raises(GitError, match="signatures cannot be checked"):
        signed.look(commit, signed.allowed(f"ada@example.org {ada}"))


def test_nothing_is_left_behind(signed, smith, ada, grace, tmp_path, monkeypatch):
    """No directory, and no agent that waits for work."""
    room = tmp_path / "room"
    room.mkdir()
    commits = [signed.ssh("One"), signed.gpg("Two", grace)]
    keys = Keys(ssh=signed.allowed(f"ada@example.org {ada}").ssh, gpg=smith.exported(grace))
    monkeypatch.setattr(tempfile, "tempdir", str(room))
    assert {one.verdict for one in verify(signed.objects, commits, keys).values()} == {"good"}
    assert list(room.iterdir()) == []
    running = [path for path in Path("/proc").glob("[0-9]*/cmdline") if str(room).encode() in content(path)]
    assert running == []


def content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_the_keys_are_private_while_they_are_used(signed, smith, ada, tmp_path, monkeypatch):
    seen = tmp_path / "seen"
    program = tmp_path / "bin" / "ssh-keygen"
    program.parent.mkdir()
    real = ran("which", "ssh-keygen").strip()
    program.write_text(f'#!/bin/sh\nstat -c %f "$HOME" >> {seen}\nexec {real} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    assert signed.look(signed.ssh("One"), signed.allowed(f"ada@example.org {ada}")).verdict == "good"
    assert {stat.S_IMODE(int(line, 16)) for line in seen.read_text().split()} >= {0o700}


def test_the_digest_changes_with_the_keys_and_with_nothing_else(tmp_path):
    allowed, home = tmp_path / "allowed", tmp_path / "home"
    keys = Keys(ssh=allowed, gpg=home)
    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: allowed.write_text("ada@example.org ssh-ed25519 AAAA"),
        lambda: allowed.write_text("eve@example.org ssh-ed25519 AAAA"),
        home.mkdir,
        lambda: (home / "pubring.kbx").write_bytes(b"one"),
        lambda: (home / "pubring.kbx").write_bytes(b"two"),
        lambda: (home / "pubring.gpg").write_bytes(b"two"),
        allowed.unlink,
    ]
    seen = []
    for step in steps:
        step()
        seen.append(keys_digest(keys))
        os.utime(tmp_path)
        assert keys_digest(keys) == seen[-1]
    (home / "trustdb.gpg").write_bytes(b"x")
    assert keys_digest(keys) == seen[-1]
    assert len(set(seen)) == len(seen)
    assert len({keys_digest(Keys()), keys_digest(Keys(ssh=allowed)), keys_digest(Keys(gpg=allowed))}) == 3
