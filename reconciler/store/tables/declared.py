"""Which rows say what git declares at the commit in force, and what its commits changed?"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, text

from reconciler.store.tables.schema import metadata
from reconciler.store.types import TEXT, Json, Moment, letters

COMPLAINED = text("complaints IS NOT NULL")

repository = Table(
    "repository",
    metadata,
    Column("id", Integer, primary_key=True),  # one row: the followed branch
    Column("url", TEXT, nullable=False),  # without credentials
    Column("branch", TEXT, nullable=False),
    Column("root", TEXT, nullable=False, server_default=""),  # the followed path inside it, '' for everything
    Column("head", letters(64)),  # the newest commit noted
    Column("tree", letters(64)),
    Column("position", Integer, nullable=False),
    Column("held_head", letters(64)),  # a head that does not descend from the one noted
    Column("held_since", Moment),
    Column("trouble", TEXT),  # why it cannot be followed just now
    Column("trouble_next_step", TEXT),
    Column("trouble_since", Moment),
    Column("again_at", Moment),  # when it is tried again
    Column("foreign_documents", Integer, nullable=False, server_default="0"),
)

commits = Table(
    "commits",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),  # place on the followed branch, as noted
    Column("id", letters(64), nullable=False),
    Column("tree", letters(64), nullable=False),
    Column("author_name", TEXT, nullable=False),
    Column("author_email", TEXT, nullable=False),
    Column("committed_at", Moment, nullable=False),
    Column("noted_at", Moment, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("message", TEXT, nullable=False),
    Column("pull_request", Integer),
    Column("direction", letters(8)),  # of a revert: back or forth
    Column("writers", Json),  # addresses of all who wrote what it brings in
    Column("reverts", Json, nullable=False),
    Index("commits_id", "id"),
    Index("commits_pull_request", "pull_request", sqlite_where=text("pull_request IS NOT NULL")),
    Index("commits_subject", "subject"),
)

merged = Table(
    "merged",
    metadata,
    Column("id", letters(64), primary_key=True),  # a commit that a merge brought in
    Column("position", Integer, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("pull_request", Integer),
    Index("merged_subject", "subject"),
    sqlite_with_rowid=False,
)

files = Table(
    "files",
    metadata,
    Column("path", TEXT, primary_key=True),
    Column("blob", letters(64), nullable=False),
    Column("complaints", Json),  # none: the file is sound; else what its newest state suffers from
    Index("files_broken", "path", sqlite_where=COMPLAINED),
    sqlite_with_rowid=False,
)

declarations = Table(
    "declarations",
    metadata,
    Column("path", TEXT, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("kind", letters(20), primary_key=True),
    Column("name", letters(200), primary_key=True),  # an AppSet stands beside each App that it makes
    Column("document", Json, nullable=False),
    Column("base", TEXT, nullable=False),  # the directory that its bundle is relative to
    Column("bundle", TEXT),  # the directory that an app names: the files in it are content
    Index("declarations_kind_name", "kind", "name"),
    Index("declarations_bundle", "bundle"),
)

apps = Table(
    "apps",
    metadata,
    Column("name", letters(200), primary_key=True),
    Column("path", TEXT, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("document", Json, nullable=False),
    Column("bundle", TEXT),  # its directory in the repository
    Column("tree", letters(64)),  # of the bundle at the commit in force
    Column("content", letters(80)),  # the version that the commit in force asks for
    Column("complaints", Json),  # why it is held, where it is
    Column("removed", Boolean, nullable=False),
    Column("due_at", Moment),  # when its plan can be another one: the only mark that work is left
    Index("apps_due", "due_at", "name"),
    Index("apps_path", "path"),
    Index("apps_held", "name", sqlite_where=COMPLAINED),
)

dependencies = Table(
    "dependencies",
    metadata,
    Column("app", letters(200), primary_key=True),
    Column("on", letters(200), primary_key=True),
    Index("dependencies_on", "on"),
    sqlite_with_rowid=False,
)

placements = Table(
    "placements",
    metadata,
    Column("app", letters(200), primary_key=True),
    Column("environment", letters(200), primary_key=True),
    Column("declared", Boolean, nullable=False),
    Column("entry", letters(64)),  # digest of the environment's own entry
    Column("touch", Integer),  # position of the newest commit that changed it
    Column("look", letters(12)),
    Column("reverts", Json),
    Index("placements_environment", "environment"),
    sqlite_with_rowid=False,
)

triggers = Table(
    "triggers",
    metadata,
    Column("app", letters(200), primary_key=True),
    Column("environment", letters(200), primary_key=True),
    Column("requested", letters(64)),
    Column("target", letters(16)),  # a digest of where they are handed over
    Column("fence", BigInteger),  # the newest one by which they were: another one's answer does not count
    Column("settings", Json, nullable=False),
    Column("applied", letters(64)),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", Moment),
    Column("error", TEXT),
    Column("open", Boolean, nullable=False),
    Index("triggers_open", "open", sqlite_where=text("open")),
)

touches = Table(
    "touches",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("app", letters(200), primary_key=True),  # '' for a season
    Column("environment", letters(200), primary_key=True),  # '' for the content; `season/<name>` for a season
    Column("before", letters(80)),
    Column("after", letters(80)),
    Column("look", letters(12), nullable=False),
    Column("reverts", Json),
    Column("braked", Boolean, nullable=False),
    Index("touches_app", "app", "environment", "position"),
    Index("touches_braked", "app", sqlite_where=text("braked")),
    sqlite_with_rowid=False,
)

brakes = Table(
    "brakes",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("commit", letters(64), nullable=False),
    Column("changed", Integer, nullable=False),
    Column("recorded", Integer, nullable=False),
    Column("acknowledged_by", letters(64)),
)
