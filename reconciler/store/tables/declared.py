"""Which rows say what git declares at the commit in force, and what its commits changed?"""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, text

from reconciler.store.tables.schema import metadata
from reconciler.store.types import Json, Moment

COMPLAINED = text("complaints IS NOT NULL")

repository = Table(
    "repository",
    metadata,
    Column("id", Integer, primary_key=True),  # one row: the followed branch
    Column("url", Text, nullable=False),  # without credentials
    Column("branch", Text, nullable=False),
    Column("root", Text, nullable=False, server_default=""),  # the followed path inside it, '' for everything
    Column("head", String(64)),  # the newest commit noted
    Column("tree", String(64)),
    Column("position", Integer, nullable=False),
    Column("held_head", String(64)),  # a head that does not descend from the one noted
    Column("held_since", Moment),
    Column("trouble", Text),  # why it cannot be followed just now
    Column("trouble_next_step", Text),
    Column("trouble_since", Moment),
    Column("again_at", Moment),  # when it is tried again
    Column("foreign_documents", Integer, nullable=False, server_default="0"),
)

commits = Table(
    "commits",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),  # place on the followed branch, as noted
    Column("id", String(64), nullable=False),
    Column("tree", String(64), nullable=False),
    Column("author_name", Text, nullable=False),
    Column("author_email", Text, nullable=False),
    Column("committed_at", Moment, nullable=False),
    Column("noted_at", Moment, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("pull_request", Integer),
    Column("direction", String(8)),  # of a revert: back or forth
    Column("writers", Json),  # addresses of all who wrote what it brings in
    Column("reverts", Json, nullable=False),
    Index("commits_id", "id"),
    Index("commits_pull_request", "pull_request", sqlite_where=text("pull_request IS NOT NULL")),
    Index("commits_subject", "subject"),
)

merged = Table(
    "merged",
    metadata,
    Column("id", String(64), primary_key=True),  # a commit that a merge brought in
    Column("position", Integer, nullable=False),
    Column("subject", Text, nullable=False),
    Column("pull_request", Integer),
    Index("merged_subject", "subject"),
    sqlite_with_rowid=False,
)

files = Table(
    "files",
    metadata,
    Column("path", Text, primary_key=True),
    Column("blob", String(64), nullable=False),
    Column("complaints", Json),  # none: the file is sound; else what its newest state suffers from
    Index("files_broken", "path", sqlite_where=COMPLAINED),
    sqlite_with_rowid=False,
)

declarations = Table(
    "declarations",
    metadata,
    Column("path", Text, primary_key=True),
    Column("ordinal", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), primary_key=True),
    Column("name", String(200), primary_key=True),  # an AppSet stands beside each App that it makes
    Column("document", Json, nullable=False),
    Column("base", Text, nullable=False),  # the directory that its bundle is relative to
    Column("bundle", Text),  # the directory that an app names: the files in it are content
    Index("declarations_kind_name", "kind", "name"),
    Index("declarations_bundle", "bundle"),
)

apps = Table(
    "apps",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("path", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("document", Json, nullable=False),
    Column("bundle", Text),  # its directory in the repository
    Column("tree", String(64)),  # of the bundle at the commit in force
    Column("content", String(80)),  # the version that the commit in force asks for
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
    Column("app", String(200), primary_key=True),
    Column("on", String(200), primary_key=True),
    Index("dependencies_on", "on"),
    sqlite_with_rowid=False,
)

placements = Table(
    "placements",
    metadata,
    Column("app", String(200), primary_key=True),
    Column("environment", String(200), primary_key=True),
    Column("declared", Boolean, nullable=False),
    Column("entry", String(64)),  # digest of the environment's own entry
    Column("touch", Integer),  # position of the newest commit that changed it
    Column("look", String(12)),
    Column("reverts", Json),
    Index("placements_environment", "environment"),
    sqlite_with_rowid=False,
)

triggers = Table(
    "triggers",
    metadata,
    Column("app", String(200), primary_key=True),
    Column("environment", String(200), primary_key=True),
    Column("requested", String(64)),
    Column("target", String(16)),  # a digest of where they are handed over
    Column("settings", Json, nullable=False),
    Column("applied", String(64)),
    Column("attempts", Integer, nullable=False),
    Column("retry_at", Moment),
    Column("error", Text),
    Column("open", Boolean, nullable=False),
    Index("triggers_open", "open", sqlite_where=text("open")),
)

touches = Table(
    "touches",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("app", String(200), primary_key=True),  # '' for a season
    Column("environment", String(200), primary_key=True),  # '' for the content; `season/<name>` for a season
    Column("before", String(80)),
    Column("after", String(80)),
    Column("look", String(12), nullable=False),
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
    Column("commit", String(64), nullable=False),
    Column("changed", Integer, nullable=False),
    Column("recorded", Integer, nullable=False),
    Column("acknowledged_by", String(64)),
)
