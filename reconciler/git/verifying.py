"""Is a commit signed, by whom, and is that one of those who count?

git checks a signature with ssh-keygen or gpg and with no keys but those in a private directory (`signing_keys`); what
the machine, the account or the repository configure has no say. A merge counts by itself: who signed what it brought
in is another question. Who wrote a commit that we make ourselves is in `signatures`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reconciler.errors import GitError
from reconciler.git.objects import Objects
from reconciler.git.processes import command, damaged, not_started
from reconciler.git.shapes import TooLarge, full_id
from reconciler.git.signing_keys import Copies, Keys, Unusable, copied
from reconciler.words import plain

__all__ = ["LARGEST_SIGNATURE", "Judgement", "Keys", "Verdict", "verify"]

LARGEST_SIGNATURE = 64 << 10
"""How many bytes a signature may have."""
_LARGEST_COMMIT = 8 << 20
_SECONDS = 60
_SAID = 300

Verdict = Literal["good", "none", "bad", "unknown-key", "expired", "no-keys"]
"""`no-keys`: nobody can tell, since no usable keys of that kind are set."""

Kind = Literal["ssh", "gpg", ""]
_KINDS: tuple[tuple[bytes, Kind], ...] = (
    (b"-----BEGIN SSH SIGNATURE-----", "ssh"),
    (b"-----BEGIN PGP SIGNATURE-----", "gpg"),
    (b"-----BEGIN PGP MESSAGE-----", "gpg"),
)
_X509 = b"-----BEGIN SIGNED MESSAGE-----"
_SSH_GOOD = re.compile(r'^Good "git" signature for (?P<who>.+) with \S+ key (?P<key>SHA256:\S+)$', re.MULTILINE)
_SSH_KEY = re.compile(r'^Good "git" signature with \S+ key (?P<key>SHA256:\S+)$', re.MULTILINE)
_SSH_RULE = re.compile(r"^\S+:\d+: (?P<rule>key (?:has expired|is not yet valid|is not permitted)\b.*)$", re.MULTILINE)
_STATUS = re.compile(r"^\[GNUPG:\] (\w+) ?(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the signature of a commit is worth."""

    verdict: Verdict
    signer: str = ""
    """Whose key it is, as the keys name him; '' unless that is known."""
    detail: str = ""
    """Why, in words; with what to do where a person can do something."""
    kind: Kind = ""


_NONE = Judgement("none", detail="the commit is not signed")


def verify(objects: Objects, commits: Iterable[str], keys: Keys) -> dict[str, Judgement]:
    """What the signatures of these commits are worth, by id.

    Raises GitCorrupt for what is no commit here, WrongUse for what is no id, GitError where git cannot be started or
    there is no room for the keys.
    """
    signed: dict[str, bytes] = {}
    found: dict[str, Judgement] = {}
    for commit in dict.fromkeys(full_id(one) for one in commits):
        signature = _signature(objects, commit)
        if isinstance(signature, Judgement):
            found[commit] = signature
        else:
            signed[commit] = signature
    if signed:
        try:
            with copied(keys) as copies:
                for commit, signature in signed.items():
                    found[commit] = _judge(objects, commit, signature, copies)
        except OSError as error:
            raise GitError(
                f"The signatures cannot be checked: {error.strerror or error}",
                "Make room where temporary files are kept; they are checked again with the next look.",
            ) from error
    return found


def _signature(objects: Objects, commit: str) -> bytes | Judgement:
    raw = objects.read(commit, _LARGEST_COMMIT)
    if raw is None or raw.type != "commit":
        raise damaged(f"there is no commit {commit}")
    if isinstance(raw, TooLarge):
        return Judgement("bad", detail=f"the commit is over {_LARGEST_COMMIT >> 20} MiB")
    name = b"gpgsig-sha256 " if len(commit) > 40 else b"gpgsig "
    headers = raw.data.partition(b"\n\n")[0].replace(b"\n ", b"\0").split(b"\n")
    signatures = [line[len(name) :].replace(b"\0", b"\n") for line in headers if line.startswith(name)]
    if not signatures:
        return _NONE
    if len(signatures) > 1:
        return Judgement("bad", detail="the commit has several signatures")
    if len(signatures[0]) > LARGEST_SIGNATURE:
        return Judgement("bad", detail=f"the signature is over {LARGEST_SIGNATURE >> 10} KiB")
    return signatures[0]


def _judge(objects: Objects, commit: str, signature: bytes, copies: Copies) -> Judgement:
    if signature.startswith(_X509):
        return Judgement("unknown-key", detail="signatures of X.509 count for nothing (sign with SSH or GnuPG)")
    kind: Kind = next((kind for start, kind in _KINDS if signature.startswith(start)), "")
    if not kind:
        return Judgement("bad", detail="the signature is none of SSH or GnuPG")
    try:
        if kind == "ssh":
            settings = {"gpg.ssh.allowedSignersFile": copies.allowed_signers()}
            return _said_by_ssh(_checked(objects, commit, copies, settings))
        primary = copies.fingerprints()
        return _said_by_gpg(_checked(objects, commit, copies, {}), primary)
    except Unusable as wrong:
        return Judgement("no-keys", detail=_short(str(wrong)), kind=kind)


def _checked(objects: Objects, commit: str, copies: Copies, more: dict[str, str]) -> str:
    """What the programs say about a signature."""
    settings = {
        "gpg.program": "gpg",
        "gpg.openpgp.program": "gpg",
        "gpg.ssh.program": "ssh-keygen",
        "gpg.ssh.revocationFile": "",
        "gpg.minTrustLevel": "undefined",
        **more,
    }
    given = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    try:
        done = subprocess.run(
            command(objects.git_dir, [*given, "verify-commit", "--raw", commit]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            cwd=copies.folder,
            env=copies.environment,
            timeout=_SECONDS,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return ""
    except OSError as error:
        raise not_started(error) from error
    return done.stderr.decode("utf-8", "replace")


def _said_by_ssh(said: str) -> Judgement:
    if good := _SSH_GOOD.search(said):
        return Judgement("good", plain(good["who"]), f"signed with the key {good['key']}", "ssh")
    if "Signature verification failed" in said:
        return Judgement("bad", detail="Signature verification failed: it does not belong to this commit", kind="ssh")
    rule = _SSH_RULE.search(said)
    key = _SSH_KEY.search(said)
    if rule is not None:
        verdict: Verdict = "unknown-key" if "permitted" in rule["rule"] else "expired"
        return Judgement(verdict, detail=_short(rule["rule"]), kind="ssh")
    if key is not None:
        return Judgement("unknown-key", detail=f"the key {key['key']} is not in allowed-signers", kind="ssh")
    return Judgement("bad", detail="the signature cannot be verified", kind="ssh")


def _said_by_gpg(said: str, primary: frozenset[str]) -> Judgement:
    lines = [(match[1], match[2].split(" ")) for match in _STATUS.finditer(said)]
    words = dict(reversed(lines))
    if sum(word in ("GOODSIG", "BADSIG", "ERRSIG", "EXPKEYSIG", "REVKEYSIG", "EXPSIG") for word, _ in lines) > 1:
        return Judgement("bad", detail="the commit has several signatures", kind="gpg")
    if "BADSIG" in words:
        return Judgement("bad", detail="the signature does not belong to this commit", kind="gpg")
    for word, what in (("EXPKEYSIG", "has expired"), ("REVKEYSIG", "was revoked")):
        if word in words:
            key, *who = words[word]
            return Judgement("expired", plain(" ".join(who)), f"the key {plain(key)} {what}", "gpg")
    if "EXPSIG" in words:
        return Judgement("expired", plain(" ".join(words["EXPSIG"][1:])), "the signature has expired", "gpg")
    if "GOODSIG" in words and "VALIDSIG" in words:
        key = words["VALIDSIG"][-1]
        if key in primary:
            return Judgement("good", plain(" ".join(words["GOODSIG"][1:])), f"signed with the key {key}", "gpg")
    missing = words.get("NO_PUBKEY") or words.get("ERRSIG")
    if missing:
        return Judgement("unknown-key", detail=f"the key {plain(missing[0])} is not among those that count", kind="gpg")
    return Judgement("bad", detail="the signature cannot be verified", kind="gpg")


def _short(text: str) -> str:
    return plain(text)[:_SAID]
