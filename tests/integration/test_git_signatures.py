"""Is a signature believed exactly when it was made over this commit by a key that counts? With real keys."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.errors import GitCorrupt, WrongUse
from reconciler.git.verifying import LARGEST_SIGNATURE, Judgement, Keys, verify
from tests.gitrepo import Repo
from tests.signing import Signed, ada, grace, signed, smith

# Fixtures, which pytest finds by their names here.
__all__ = ["ada", "grace", "signed", "smith"]


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch, signed: Signed) -> None:
    """Nothing can be started any more but what is open already."""
    first = signed.repo.commit("Opens the reader")
    assert signed.look(first, Keys()).verdict == "none"
    monkeypatch.setenv("PATH", "/nowhere")


# --- SSH --------------------------------------------------------------------------------------------------


def test_a_commit_signed_by_an_allowed_key_is_good(signed, ada):
    found = signed.look(signed.ssh("Add shop"), signed.allowed(f"ada@example.org {ada}"))
    assert (found.verdict, found.signer, found.kind) == ("good", "ada@example.org", "ssh")
    assert found.detail.startswith("signed with the key SHA256:")


def test_a_repository_of_the_newer_hash_is_read_alike(tmp_path, smith, ada):
    signed = Signed(Repo.create(tmp_path / "newer", "main", "--object-format=sha256"), smith)
    with signed.objects:
        commit = signed.ssh("Add shop")
        assert len(commit) == 64
        assert signed.look(commit, signed.allowed(f"ada@example.org {ada}")).verdict == "good"
        assert signed.look(commit, signed.allowed(f"eve@example.org {smith.ssh('newer')}")).verdict == "unknown-key"


def test_a_key_that_is_not_allowed_is_unknown(signed, ada, smith):
    found = signed.look(signed.ssh("Add shop"), signed.allowed(f"eve@example.org {smith.ssh('eve')}"))
    assert (found.verdict, found.signer) == ("unknown-key", "")
    assert "SHA256:" in found.detail
    assert "not in allowed-signers" in found.detail


@pytest.mark.parametrize(
    ("option", "verdict", "says"),
    [
        ('valid-before="20200101"', "expired", "key has expired"),
        ('valid-after="20990101"', "expired", "key is not yet valid"),
        ('valid-after="20200101"', "good", ""),
        ('namespaces="file"', "unknown-key", 'not permitted for use in signature namespace "git"'),
        ('namespaces="git,file"', "good", ""),
        ("cert-authority", "unknown-key", ""),
    ],
)
def test_what_the_allowed_signers_say_of_a_key_holds(signed, ada, option, verdict, says):
    found = signed.look(signed.ssh("Add shop"), signed.allowed(f"ada@example.org {option} {ada}"))
    assert found.verdict == verdict
    assert says in found.detail


def test_validity_is_that_of_the_day_of_the_commit(signed, ada):
    """As git does it: a key that was changed later does not take back what it signed."""
    commit = signed.ssh("Add shop")  # the test's clock stands in January 2026
    assert signed.look(commit, signed.allowed(f'ada@example.org valid-before="20260301" {ada}')).verdict == "good"


def test_one_bad_line_does_not_cost_the_others(signed, ada):
    keys = signed.allowed("# who may", "", "eve@example.org ssh-ed25519 AAAAbroken", f"ada@example.org {ada}")
    assert signed.look(signed.ssh("Add shop"), keys).verdict == "good"


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw.replace(b"Add shop", b"Add trap"),
        lambda raw: raw.replace(b"author Ada", b"author Eve"),
        lambda raw: raw.replace(b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904", b"tree " + b"1" * 40),
        lambda raw: raw.replace(b"gpgsig ", b"parent " + b"1" * 40 + b"\ngpgsig "),
        lambda raw: raw + b"more",
    ],
    ids=["message", "author", "tree", "parent", "longer"],
)
def test_a_commit_that_was_changed_is_bad(signed, ada, change):
    found = signed.look(signed.forged(signed.ssh("Add shop"), change), signed.allowed(f"ada@example.org {ada}"))
    assert (found.verdict, found.signer) == ("bad", "")
    assert "Signature verification failed" in found.detail


def test_a_signature_carried_over_from_another_commit_is_bad(signed, ada):
    one = signed.repo.git("cat-file", "commit", signed.ssh("Add shop"))
    header = one[one.index("gpgsig ") : one.index("\n\n")].encode()
    plain = signed.repo.commit("Unsigned")
    moved = signed.forged(plain, lambda raw: raw.replace(b"\n\n", b"\n" + header + b"\n\n", 1))
    assert signed.look(moved, signed.allowed(f"ada@example.org {ada}")).verdict == "bad"


# --- GnuPG ------------------------------------------------------------------------------------------------


def test_a_commit_signed_by_an_exported_key_is_good(signed, smith, grace):
    found = signed.look(signed.gpg("Add shop", grace), Keys(gpg=smith.exported(grace)))
    assert found == Judgement("good", "Grace Hopper <grace@example.org>", f"signed with the key {grace}", "gpg")


def test_a_subkey_signs_for_its_owner(signed, smith):
    key = smith.gpg_key("Sub <sub@example.org>")
    smith.gpg("--passphrase", "", "--quick-add-key", key, "ed25519", "sign")
    found = signed.look(signed.gpg("Add shop", key), Keys(gpg=smith.exported(key)))
    assert (found.verdict, found.detail) == ("good", f"signed with the key {key}")


def test_a_home_directory_is_read_and_left_as_it_is(signed, smith, grace, tmp_path):
    commit = signed.gpg("Add shop", grace)
    home = tmp_path / "keys"
    home.mkdir()
    (home / "pubring.kbx").write_bytes((smith.gnupg / "pubring.kbx").read_bytes())
    (home / "gpg.conf").write_text("no-such-option\n")
    before = [(path.name, path.stat().st_mtime_ns) for path in sorted(home.iterdir())]
    assert signed.look(commit, Keys(gpg=home)).verdict == "good"
    assert [(path.name, path.stat().st_mtime_ns) for path in sorted(home.iterdir())] == before


def test_a_key_that_was_not_exported_is_unknown(signed, smith, grace):
    other = smith.gpg_key("Other <other@example.org>")
    found = signed.look(signed.gpg("Add shop", grace), Keys(gpg=smith.exported(other)))
    assert (found.verdict, found.signer) == ("unknown-key", "")
    assert grace[-16:] in found.detail


def test_the_keyring_of_the_machine_counts_for_nothing(signed, smith, grace, tmp_path, monkeypatch):
    """Neither its keys nor its configuration, nor that of the repository, nor git's."""
    commit = signed.gpg("Add shop", grace)
    other = smith.gpg_key("Another <another@example.org>")
    keys = Keys(gpg=smith.exported(other))
    liar = tmp_path / "liar"
    liar.write_text("#!/bin/sh\necho '[GNUPG:] GOODSIG 1 Eve' >&2\nexit 0\n")
    liar.chmod(0o755)
    monkeypatch.setenv("GNUPGHOME", str(smith.gnupg))
    monkeypatch.setenv("HOME", str(tmp_path))
    for place in ("gpg.program", "gpg.openpgp.program"):
        signed.repo.git("config", place, str(liar))
    (tmp_path / ".gitconfig").write_text(f"[gpg]\n\tprogram = {liar}\n")
    monkeypatch.delenv("GIT_CONFIG_GLOBAL")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "gpg.program")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(liar))
    assert signed.look(commit, keys).verdict == "unknown-key"


def test_the_allowed_signers_of_the_repository_count_for_nothing(signed, ada, smith):
    commit = signed.ssh("Add shop")
    own = signed.repo.path / "own"
    own.write_text(f"ada@example.org {ada}\n")
    signed.repo.git("config", "gpg.ssh.allowedSignersFile", str(own))
    assert signed.look(commit, signed.allowed(f"eve@example.org {smith.ssh('eve2')}")).verdict == "unknown-key"
    assert signed.look(commit, Keys()).verdict == "no-keys"


def test_a_commit_changed_after_gpg_signed_it_is_bad(signed, smith, grace):
    forged = signed.forged(signed.gpg("Add shop", grace), lambda raw: raw.replace(b"Add shop", b"Add trap"))
    found = signed.look(forged, Keys(gpg=smith.exported(grace)))
    assert found == Judgement("bad", detail="the signature does not belong to this commit", kind="gpg")


def test_a_key_that_has_expired_is_told_from_an_unknown_one(signed, smith):
    then = "--faked-system-time=20200201T000000!"
    key = smith.gpg_key("Old <old@example.org>", "2021-01-01", then)
    found = signed.look(signed.gpg("Add shop", key, then), Keys(gpg=smith.exported(key)))
    assert (found.verdict, found.signer) == ("expired", "Old <old@example.org>")
    assert found.detail == f"the key {key[-16:]} has expired"


def test_a_key_that_was_revoked_does_not_count(signed, smith):
    key = smith.gpg_key("Lost <lost@example.org>")
    commit = signed.gpg("Add shop", key)
    assert signed.look(commit, Keys(gpg=smith.exported(key))).verdict == "good"
    # gpg keeps one prepared for every key, with a colon against using it by mistake.
    prepared = (smith.gnupg / "openpgp-revocs.d" / f"{key}.rev").read_text().replace(":-----BEGIN", "-----BEGIN")
    smith.gpg("--import", stdin=prepared.encode())
    found = signed.look(commit, Keys(gpg=smith.exported(key)))
    assert (found.verdict, found.detail) == ("expired", f"the key {key[-16:]} was revoked")


# --- unsigned, odd and hostile ----------------------------------------------------------------------------


def test_an_unsigned_commit_is_told_without_starting_anything(signed, no_programs):
    plain = signed.repo.path / ".git" / "refs" / "heads" / "main"
    commit = plain.read_text().strip()
    for keys in (Keys(), Keys(ssh=Path("missing"), gpg=Path("missing"))):
        assert signed.look(commit, keys) == Judgement("none", detail="the commit is not signed")


def test_what_only_looks_like_a_signature_is_none(signed, ada):
    """In the message, or inside the tag that a merge carries."""
    block = "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"
    message = signed.repo.commit(f"Add shop\n\ngpgsig {block}")
    tagged = signed.forged(
        signed.repo.commit("Merge"), lambda raw: raw.replace(b"\n\n", b"\nmergetag object 1\n gpgsig A\n\n", 1)
    )
    other = signed.forged(message, lambda raw: raw.replace(b"\n\n", b"\ngpgsig-sha256 A\n B\n\n", 1))
    keys = signed.allowed(f"ada@example.org {ada}")
    assert {one.verdict for one in verify(signed.objects, [message, tagged, other], keys).values()} == {"none"}


def test_a_merge_counts_by_itself(signed, ada):
    start = signed.repo.commit("Start")
    signed.repo.checkout("side", start)
    side = signed.ssh("On the side")
    signed.repo.checkout("main")
    merge = signed.repo.merge("side")
    keys = signed.allowed(f"ada@example.org {ada}")
    found = verify(signed.objects, [merge, side, merge], keys)
    assert {commit: one.verdict for commit, one in found.items()} == {merge: "none", side: "good"}


def with_signature(text: bytes) -> Callable[[bytes], bytes]:
    lines = b"\n ".join(text.split(b"\n"))
    return lambda raw: raw.replace(b"\n\n", b"\ngpgsig " + lines + b"\n\n", 1)


SSH = b"-----BEGIN SSH SIGNATURE-----\n%s\n-----END SSH SIGNATURE-----"
PGP = b"-----BEGIN PGP SIGNATURE-----\n\n%s\n-----END PGP SIGNATURE-----"


@pytest.mark.parametrize(
    ("signature", "verdict", "says"),
    [
        (b"", "bad", "none of SSH or GnuPG"),
        (b"nonsense", "bad", "none of SSH or GnuPG"),
        (SSH % b"U1NIU0lH", "bad", "cannot be verified"),
        (SSH % b"\xff\x1b[31m$(touch pwned)", "bad", "cannot be verified"),
        (SSH.partition(b"%s")[0], "bad", "cannot be verified"),
        (PGP % b"AAAA\n=AAAA", "bad", "cannot be verified"),
        (PGP % b"\0\0\0\xff", "bad", "cannot be verified"),
        (SSH % (b"A" * LARGEST_SIGNATURE), "bad", "over 64 KiB"),
        (PGP % (b"A" * 20_000_000), "bad", "over 8 MiB"),
        (b"-----BEGIN SIGNED MESSAGE-----\nMIIB\n-----END SIGNED MESSAGE-----", "unknown-key", "X.509"),
    ],
    ids=["empty", "words", "short", "bytes", "cut", "no packet", "zeros", "large", "huge", "x509"],
)
def test_a_signature_of_any_garbage_gets_a_verdict(signed, ada, smith, grace, signature, verdict, says):
    commit = signed.forged(signed.repo.commit("Add shop"), with_signature(signature))
    keys = Keys(ssh=signed.allowed(f"ada@example.org {ada}").ssh, gpg=smith.exported(grace))
    found = signed.look(commit, keys)
    assert (found.verdict, found.signer) == (verdict, "")
    assert says in found.detail
    assert len(found.detail) < 400
    assert found.detail.isprintable()


def test_two_signatures_are_one_too_many(signed, ada):
    good = signed.ssh("Add shop")
    twice = signed.forged(good, with_signature(SSH % b"AAAA"))
    found = signed.look(twice, signed.allowed(f"ada@example.org {ada}"))
    assert found.verdict == "bad"
    assert "several signatures" in found.detail


def test_what_is_no_commit_is_refused(signed):
    signed.repo.write({"file": "x"}).commit("Add file")
    with pytest.raises(GitCorrupt, match="there is no commit"):
        signed.look("1" * 40, Keys())
    with pytest.raises(GitCorrupt, match="there is no commit"):
        signed.look(signed.repo.tree(path="file"), Keys())
    with pytest.raises(WrongUse, match="not the id"):
        signed.look("--help", Keys())
