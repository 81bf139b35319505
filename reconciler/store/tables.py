"""Which tables are there, and what is one row of each?

The schema as it is now; `migrations/` brings an older database to it, and a test proves that they agree.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from reconciler.store.types import Json, Moment

metadata = MetaData()
# A table whose rows are short and are found by their key is kept in the order of the key itself (`with_rowid`):
# one page is written in place of two. Partial indexes are named for SQLite; see `partial_in_postgresql`.
Serial = BigInteger().with_variant(Integer, "sqlite")

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
    Index("declarations_kind_name", "kind", "name"),
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
    Index("apps_bundle", "bundle"),
    Index("apps_due", "due_at"),
    Index("apps_path", "path"),
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

versions = Table(
    "versions",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("app", String(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", String(100)),
    Column("message", Text, nullable=False),
    Column("tags", Json, nullable=False),
    Column("author_name", Text, nullable=False),
    Column("author_email", Text, nullable=False),
    Column("commit", String(64)),
    Column("position", Integer),
    Column("created_at", Moment, nullable=False),
    Column("source", String(10), nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("content", Json, nullable=False),
    UniqueConstraint("app", "number", name="versions_number"),
    UniqueConstraint("app", "name", name="versions_name"),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("version", String(80), primary_key=True),
    Column("app", String(200), nullable=False),
    Column("position", Integer, nullable=False),
    Column("commit", String(64), nullable=False),
    Column("reverts", String(64), nullable=False),
    Column("author", Text, nullable=False),
    Column("restores", String(80)),
    Index("withdrawals_app", "app"),
    sqlite_with_rowid=False,
)

ACTIVE = text("status IN ('pending', 'started')")

deployments = Table(
    "deployments",
    metadata,
    Column("sequence", Serial, primary_key=True),
    Column("id", String(40), nullable=False, unique=True),
    Column("app", String(200), nullable=False),
    Column("environment", String(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("status", String(10), nullable=False),
    Column("cause", String(16), nullable=False),
    Column("traffic", Json, nullable=False),
    Column("config", Json, nullable=False),
    Column("commit", String(64)),
    Column("deployed_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rolled_back_from", String(40)),
    Column("reverts", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("late_by_seconds", Float),
    Column("error", Text),
    Column("scm_branch", Text),
    Column("scm_sha", Text),
    Column("build_url", Text),
    Column("extra_metadata", Json, nullable=False),
    Column("grounds", Json, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Moment),
    Column("abort_reason", Text),  # it has been told to stop; its target has not answered yet
    Column("rollout", Json),  # how far a gradual rollout has come; none: released at once
    # Exactly once: two planners cannot both write the next deployment of an app in an environment.
    UniqueConstraint("app", "environment", "number", name="deployments_number"),
    # One at a time.
    Index("deployments_active", "app", "environment", unique=True, sqlite_where=ACTIVE),
    Index("deployments_status", "status", "environment", "sequence"),
    Index("deployments_environment", "environment", "sequence"),
    Index("deployments_app", "app", "sequence"),
)

suspicions = Table(
    "suspicions",
    metadata,
    Column("app", String(200), primary_key=True),
    Column("environment", String(200), primary_key=True),
    Column("what", String(80), primary_key=True),  # a version id, or a subject's fingerprint
    Column("deployment", String(40), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("why", Text, nullable=False),
    sqlite_with_rowid=False,
)

occurrences = Table(
    "occurrences",
    metadata,
    Column("kind", String(16), primary_key=True),  # season-start, season-end, schedule
    Column("app", String(200), primary_key=True),
    Column("environment", String(200), primary_key=True),
    Column("due_at", Moment, primary_key=True),
    Column("noticed_at", Moment, nullable=False),
    Column("deployment", String(40)),
    sqlite_with_rowid=False,
)

interventions = Table(
    "interventions",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("kind", String(12), nullable=False),  # pause, abort, retry, accept, rollback, release
    Column("app", String(200)),
    Column("environment", String(200)),
    Column("subject", String(80)),  # a deployment id or a commit
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", Moment),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("outcome", Text),
    Index("interventions_open", "kind", "app", sqlite_where=text("done_at IS NULL")),
)

ledger = Table(
    "ledger",
    metadata,
    Column("sequence", Serial, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("app", String(200)),
    Column("environment", String(200)),
    Column("subject", String(80)),
    Column("actor", Text, nullable=False),
    Column("body", Json, nullable=False),
    Index("ledger_subject", "subject"),
    sqlite_autoincrement=True,
)

seals = Table(
    "seals",
    metadata,
    Column("upto", BigInteger, primary_key=True, autoincrement=False),  # the last ledger row that the hash covers
    Column("hash", String(64), nullable=False),
    Column("at", Moment, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("app", String(200), nullable=False),
    Column("environment", String(200), nullable=False),
    Column("key", String(64), nullable=False),  # of what was approved: another plan has another key
    Column("actor", Text, nullable=False),
    Column("role", String(100)),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("approvals_app", "app", "environment", "key"),
)

requests = Table(
    "requests",
    metadata,
    Column("key", String(64), primary_key=True),  # what stands or stood at a gate, and waits for a person
    Column("app", String(200), nullable=False),
    Column("environment", String(200), nullable=False),
    Column("since", Moment, nullable=False),
)

checks = Table(
    "checks",
    metadata,
    Column("app", String(200), primary_key=True),
    Column("environment", String(200), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("name", String(100), primary_key=True),
    Column("verdict", String(10), nullable=False),  # running, passed, failed
    Column("definition", Json, nullable=False),
    Column("traffic", Json, nullable=False),
    Column("config", Json, nullable=False),  # the environment's settings that it would enter with
    Column("commit", String(64)),
    Column("at", Moment, nullable=False),  # when it was asked for; then when it ended
    Column("next_attempt_at", Moment),  # it said that it cannot tell yet
    Column("detail", Text, nullable=False),
    Column("output", Text, nullable=False),
    Index("checks_running", "verdict", "at"),
)

overrides = Table(
    "overrides",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),  # of the commit that carries the trailer
    Column("kind", String(10), primary_key=True),  # freeze, rollback
    Column("app", String(200), primary_key=True),  # '' for a freeze: what the commit changes
    Column("environment", String(200), primary_key=True),
    Column("commit", String(64), nullable=False),
    Column("author", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Index("overrides_app", "app", "environment"),
    Index("overrides_commit", "commit"),
)

holds = Table(
    "holds",
    metadata,
    Column("app", String(200), primary_key=True),
    Column("environment", String(200), primary_key=True),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("traffic", Json, nullable=False),  # what a person wants to run; empty: what ran well last
    Column("deployment", String(40)),  # the one that went wrong or was left
    Column("version", String(80)),  # what is to be taken back in git
    Column("branch", Text),  # where the commit is that makes git say the same
    Column("branch_commit", String(64)),
    Column("trouble", Text),  # why the branch could not be written
    Column("again_at", Moment),  # when writing it is tried again
)

signatures = Table(
    "signatures",
    metadata,
    Column("commit", String(64), primary_key=True),
    Column("good", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
    Column("keys", String(64), nullable=False),  # a digest of the keys that it was judged by
    Column("at", Moment, nullable=False),
)


def partial_in_postgresql() -> None:
    """Let the partial indexes be partial in PostgreSQL too, when a store lies there.

    Not said where each is declared: naming a database there loads what SQLAlchemy has for it, with every command.
    """
    for table in metadata.tables.values():
        for index in table.indexes:
            where = index.dialect_options["sqlite"]["where"]
            if where is not None:
                index.dialect_options["postgresql"]["where"] = where
