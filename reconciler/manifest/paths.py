"""Which directory does a manifest mean, and may it?

Paths are texts of git: '/' between segments, '' is the root of the repository. No file system is asked here, so
whether a link leads out of the repository is for those to find who read the tree.
"""

from __future__ import annotations

from itertools import zip_longest

from reconciler.errors import ManifestError
from reconciler.words import quoted

MOST_SEGMENTS = 50
LONGEST_PATH = 2_000
"""Bytes of a path that is recorded: it is part of keys, and those of PostgreSQL hold 2,700."""
_LONGEST = 1_000
_SUFFIXES = (".yaml", ".yml")


def is_manifest_file(path: str) -> bool:
    """Whether a file may hold manifests, by its name: `*.yaml` and `*.yml`, outside `.git`."""
    return path.endswith(_SUFFIXES) and ".git" not in path.split("/")


def under(path: str, directory: str) -> bool:
    """Whether a path lies in a directory ('' is the root)."""
    return not directory or path.startswith(f"{directory}/")


def ancestors(path: str) -> list[str]:
    """The directories that a path lies in, the root ('') included."""
    found: list[str] = []
    while path:
        path = path.rpartition("/")[0]
        found.append(path)
    return found


def fits(path: str) -> bool:
    """Whether a path is short enough to be recorded."""
    return 4 * len(path) <= LONGEST_PATH or len(path.encode("utf-8", "surrogatepass")) <= LONGEST_PATH


def bundle_directory(manifest_path: str, bundle: str) -> str:
    """The directory that an App's `bundle` names, from the root of the repository; '' is the root itself.

    `bundle` is relative to the manifest's file. Raises ManifestError when it is absolute or leaves the repository.
    """
    return below(manifest_path.rpartition("/")[0], bundle)


def below(directory: str, path: str) -> str:
    """`path` as seen from `directory`, normalised. Raises ManifestError as `bundle_directory` does."""
    if not path or len(path) > _LONGEST or not path.isprintable() or "\\" in path:
        raise ManifestError(f"{quoted(path)} is no path of a directory", "write it like agent, ../shared or .")
    if path.startswith(("/", "~")):
        raise ManifestError(f"{quoted(path)} is absolute", "write it relative to the manifest")
    segments = [segment for segment in directory.split("/") if segment not in ("", ".")]
    for segment in path.split("/"):
        if segment == "..":
            if not segments:
                raise ManifestError(f"{quoted(path)} leaves the repository", "name a directory inside it")
            segments.pop()
        elif segment == ".git":
            raise ManifestError(f"{quoted(path)} leads into .git", "name a directory of the repository")
        elif segment not in ("", "."):
            segments.append(segment)
    found = "/".join(segments)
    if len(segments) > MOST_SEGMENTS or not fits(found):
        raise ManifestError(f"{quoted(path)} is nested too deep", "name a directory nearer to the root")
    return found


def check_pattern(pattern: str) -> None:
    """Raises ManifestError, with what to write instead, unless `matches` understands the pattern."""
    remedy = "write it like sites/*, relative to the followed path"
    if not pattern or len(pattern) > _LONGEST or not pattern.isprintable() or "\\" in pattern:
        raise ManifestError(f"{quoted(pattern)} is no pattern of directories", remedy)
    if pattern.startswith(("/", "~")):
        raise ManifestError(f"{quoted(pattern)} is absolute", remedy)
    segments = pattern.rstrip("/").split("/")
    if any(segment in ("", ".", "..", ".git") for segment in segments) or len(segments) > MOST_SEGMENTS:
        raise ManifestError(f"{quoted(pattern)} has a segment that no directory has", remedy)
    if "**" in pattern:
        raise ManifestError(f"{quoted(pattern)} has **", "write one * for each level, such as sites/*/*")
    if "[" in pattern or "{" in pattern:
        raise ManifestError(f"{quoted(pattern)} has a bracket", "there are * and ?, nothing else")


def matches(pattern: str, directory: str) -> bool:
    """Whether a directory fits a pattern: `*` is any text and `?` any letter, each within one segment.

    A wildcard at the beginning of a segment takes no hidden directory, as in a shell.
    """
    wanted, given = pattern.rstrip("/").split("/"), directory.split("/")
    return bool(directory) and all(_fits(*pair) for pair in zip_longest(wanted, given))


def _fits(pattern: str | None, name: str | None) -> bool:
    """One segment; steps are bounded by the product of both lengths, however hostile the pattern."""
    if pattern is None or name is None or (name.startswith(".") and not pattern.startswith(".")):
        return False
    at, here, star, resumed = 0, 0, -1, 0
    while here < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, resumed, at = at, here, at + 1
        elif at < len(pattern) and pattern[at] in ("?", name[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            resumed += 1
            at, here = star + 1, resumed
        else:
            return False
    return not pattern[at:].strip("*")
