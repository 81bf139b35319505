"""What does the YAML in the repository declare, and what is wrong with it?

Text in, declarations or complaints out, all complaints at once, each with file, line and column. Pure: nothing here
reads a file, a clock or a setting.

    parse            a file's text becomes declarations and complaints
    complaints       how a complaint is shown: to a person, to GitHub, as SARIF
    links            what is wrong between manifests; `overlaps` for what depends on time, `sharing` for targets
    expand           the Apps that an AppSet stands for
    paths            the directories that manifests name; `bundles` for which files are content by that
    schemas          JSON Schemas for editors; `reference` for people

Behind them: `text` and `walk` (bytes to values), `faults` and `scalars` (wrong YAML), `places` (lines and columns),
`judging`, `sentences` and `checks` (what is wrong inside one manifest), `kinds`, `problems`.
"""

from __future__ import annotations

from reconciler.manifest.bundles import content_among
from reconciler.manifest.complaints import Complaint, github, sarif
from reconciler.manifest.expand import check_expand, expand
from reconciler.manifest.kinds import KINDS, Manifest, decode
from reconciler.manifest.links import (
    Known,
    check_app,
    check_depends,
    check_environments,
    check_group,
    check_season,
    check_sense,
    check_twice,
    known_from,
)
from reconciler.manifest.overlaps import check_freezes, check_seasons
from reconciler.manifest.parse import Declaration, Parsed, parse
from reconciler.manifest.paths import (
    LONGEST_PATH,
    ancestors,
    below,
    bundle_directory,
    fits,
    is_manifest_file,
    matches,
    under,
)
from reconciler.manifest.places import locate
from reconciler.manifest.problems import Problem
from reconciler.manifest.sharing import Shared, check_shared, shared

__all__ = [
    "KINDS",
    "LONGEST_PATH",
    "Complaint",
    "Declaration",
    "Known",
    "Manifest",
    "Parsed",
    "Problem",
    "Shared",
    "ancestors",
    "below",
    "bundle_directory",
    "check_app",
    "check_depends",
    "check_environments",
    "check_expand",
    "check_freezes",
    "check_group",
    "check_season",
    "check_seasons",
    "check_sense",
    "check_shared",
    "check_twice",
    "content_among",
    "decode",
    "expand",
    "fits",
    "github",
    "is_manifest_file",
    "known_from",
    "locate",
    "matches",
    "parse",
    "sarif",
    "shared",
    "under",
]
