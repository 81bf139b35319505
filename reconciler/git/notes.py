"""How is something written beside a commit, in git notes that everybody who shares the repository can show?

The notes are fetched, lines are appended to those of commits, and the result is pushed; where somebody else was
quicker, all of it is done again on top of theirs. A line that is there already is not written twice, so whoever was
killed just calls again. What the lines say is the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from reconciler.errors import GitError, GitUnreachable, NotSo
from reconciler.git.addresses import Address, address
from reconciler.git.pushing import raced, refused, talk
from reconciler.git.shapes import full_id
from reconciler.git.signatures import Person, Signature
from reconciler.git.trouble import unreachable
from reconciler.git.writing import Workshop

ROUNDS = 6
"""So often it is tried on top of what others wrote meanwhile."""
_QUIETLY = ["--quiet", "--force", "--no-tags", "--no-recurse-submodules"]
_QUIETLY += ["--no-auto-maintenance", "--no-write-fetch-head"]
_PUSH = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-signed", "--recurse-submodules=no"]


def append(
    repository: Path,
    url: str,
    reference: str,
    lines: Mapping[str, Sequence[str]],
    author: Person,
    at: datetime,
    *,
    borrowed: Path,
    base: Path | None = None,
    timeout: float = 120,
) -> int:
    """Append lines to the notes of commits of the repository at `url`; how many were new there.

    `repository` is a bare one of our own for this, made if need be, which borrows the objects of `borrowed`;
    `reference` is such as `refs/notes/deployments`. A commit that is not there is passed over. A relative `url` begins
    at `base`; `timeout` is in seconds. Raises WrongUse for an address that git must not be given, NotSo when the other
    side refuses or others are always quicker, GitUnreachable when it does not answer, GitError.
    """
    place = address(url, base)
    _prepare(repository, borrowed)
    with Workshop(repository) as workshop:
        for _ in range(ROUNDS):
            there = _fetch(workshop, place, reference, timeout)
            count = _write(workshop, reference, lines, Signature(author, at))
            if not count:
                return 0
            lease = f"--force-with-lease={reference}:{there or ''}"
            what = [*_PUSH, lease, "--end-of-options", place.url, f"{reference}:{reference}"]
            status, printed, said = talk(what, workshop.git_dir, place, timeout)
            if status == 0:
                return count
            if not raced(printed):
                raise refused(place, "notes", printed, place.scrub(said))
    raise NotSo(f"Others write notes of {place.url} all the time", "It is tried again later.")


def _prepare(repository: Path, borrowed: Path) -> None:
    """A bare repository that has nothing but notes, and sees the commits of another one."""
    try:
        for name in ("objects/info", "refs"):
            (repository / name).mkdir(parents=True, exist_ok=True)
        # Both are what git itself writes; a head is needed for it to be a repository.
        for name, content in (
            ("HEAD", "ref: refs/heads/none\n"),
            ("config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"),
            ("objects/info/alternates", f"{borrowed.absolute() / 'objects'}\n"),
        ):
            file = repository / name
            if not file.exists() or file.read_text(encoding="utf-8") != content:
                file.write_text(content, encoding="utf-8")
    except OSError as error:
        said = f"{repository} cannot be written: {error.strerror}"
        raise GitError(said, "See to its rights, then it goes on.") from error


def _fetch(workshop: Workshop, place: Address, reference: str, timeout: float) -> str | None:
    """What the notes are there now, and here from now on; None where there are none."""
    asked = ["ls-remote", "--quiet", "--end-of-options", place.url, reference]
    status, printed, said = talk(asked, workshop.git_dir, place, timeout)
    if status != 0:
        raise unreachable(place.url, place.scrub(said))
    there = next((line.split("\t")[0] for line in printed.splitlines() if line.endswith(f"\t{reference}")), None)
    if there is None:
        workshop.git(["update-ref", "-d", reference])
        return None
    fetched = ["fetch", *_QUIETLY, "--end-of-options", place.url, f"+{reference}:{reference}"]
    status, _, said = talk(fetched, workshop.git_dir, place, timeout)
    if status != 0:
        raise unreachable(place.url, place.scrub(said))
    here = workshop.git(["rev-parse", "--verify", reference]).strip()
    if here != there:
        raise GitUnreachable(f"The notes of {place.url} changed while they were fetched", "It is tried again.")
    return there


def _write(workshop: Workshop, reference: str, lines: Mapping[str, Sequence[str]], signature: Signature) -> int:
    count = 0
    for commit, several in lines.items():
        if workshop.run(["cat-file", "-e", f"{full_id(commit)}^{{commit}}"])[0] != 0:
            continue
        status, known, _ = workshop.run(["notes", f"--ref={reference}", "show", commit])
        text = known if status == 0 else ""
        there = set(text.splitlines())
        new = [line for line in dict.fromkeys(several) if line not in there]
        if new:
            whole = "".join(f"{line}\n" for line in [*text.rstrip("\n").splitlines(), *new])
            content = whole.encode("utf-8", "surrogateescape")
            asked = ["notes", f"--ref={reference}", "add", "--force", "--file=-", commit]
            workshop.git(asked, content, signature.environment())
            count += len(new)
    return count
