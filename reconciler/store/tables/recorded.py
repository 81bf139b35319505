"""Which rows say what was made, what runs, and what happened?"""

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, Table, UniqueConstraint, text

from reconciler.store.tables.schema import Serial, metadata
from reconciler.store.types import TEXT, Json, Moment, letters

versions = Table(
    "versions",
    metadata,
    Column("id", letters(80), primary_key=True),
    Column("app", letters(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", letters(100)),
    Column("message", TEXT, nullable=False),
    Column("tags", Json, nullable=False),
    Column("author_name", TEXT, nullable=False),
    Column("author_email", TEXT, nullable=False),
    Column("commit", letters(64)),
    Column("position", Integer),
    Column("created_at", Moment, nullable=False),
    Column("source", letters(10), nullable=False),
    Column("partial", Boolean, nullable=False),
    Column("content", Json, nullable=False),
    UniqueConstraint("app", "number", name="versions_number"),
    UniqueConstraint("app", "name", name="versions_name"),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("version", letters(80), primary_key=True),
    Column("app", letters(200), nullable=False),
    Column("position", Integer, nullable=False),
    Column("commit", letters(64), nullable=False),
    Column("reverts", letters(64), nullable=False),
    Column("author", TEXT, nullable=False),
    Column("restores", letters(80)),
    Index("withdrawals_app", "app"),
    sqlite_with_rowid=False,
)

ACTIVE = text("status IN ('pending', 'started')")
PENDING = text("status = 'pending'")
RARER = text("cause <> 'release'")

deployments = Table(
    "deployments",
    metadata,
    Column("sequence", Serial, primary_key=True),
    Column("id", letters(40), nullable=False, unique=True),
    Column("app", letters(200), nullable=False),
    Column("environment", letters(200), nullable=False),
    Column("number", Integer, nullable=False),
    Column("status", letters(10), nullable=False),
    Column("cause", letters(16), nullable=False),
    Column("traffic", Json, nullable=False),
    Column("config", Json, nullable=False),
    Column("commit", letters(64)),
    Column("deployed_by", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("rolled_back_from", letters(40)),
    Column("reverts", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("late_by_seconds", Float),
    Column("error", TEXT),
    Column("scm_branch", TEXT),
    Column("scm_sha", TEXT),
    Column("build_url", TEXT),
    Column("extra_metadata", Json, nullable=False),
    Column("grounds", Json, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Moment),
    Column("abort_reason", TEXT),  # it has been told to stop; its target has not answered yet
    Column("rollout", Json),  # how far a gradual rollout has come; none: released at once
    Column("claimed_by", letters(40)),  # the daemon that carries it out just now
    Column("fence", BigInteger, nullable=False, server_default="0"),  # grows each time that anything is handed out
    # Exactly once: two planners cannot both write the next deployment of an app in an environment.
    UniqueConstraint("app", "environment", "number", name="deployments_number"),
    # One at a time.
    Index("deployments_active", "app", "environment", unique=True, sqlite_where=ACTIVE),
    # What goes back has its turn before everything else.
    Index("deployments_turn", "environment", "cause", "status", "sequence", sqlite_where=PENDING),
    Index("deployments_status", "status", "environment", "sequence"),
    Index("deployments_environment", "environment", "sequence"),
    Index("deployments_app", "app", "sequence"),
    Index("deployments_cause", "cause", "sequence", sqlite_where=RARER),
    Index("deployments_created", "created_at", "sequence"),
)

suspicions = Table(
    "suspicions",
    metadata,
    Column("app", letters(200), primary_key=True),
    Column("environment", letters(200), primary_key=True),
    Column("what", letters(80), primary_key=True),  # a version id, or a subject's fingerprint
    Column("deployment", letters(40), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("why", TEXT, nullable=False),
    sqlite_with_rowid=False,
)

occurrences = Table(
    "occurrences",
    metadata,
    Column("kind", letters(16), primary_key=True),  # season-start, season-end, schedule
    Column("app", letters(200), primary_key=True),
    Column("environment", letters(200), primary_key=True),
    Column("due_at", Moment, primary_key=True),
    Column("noticed_at", Moment, nullable=False),
    Column("deployment", letters(40)),
    sqlite_with_rowid=False,
)

interventions = Table(
    "interventions",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("kind", letters(12), nullable=False),  # pause, abort, retry, accept, rollback, release
    Column("app", letters(200)),
    Column("environment", letters(200)),
    Column("subject", letters(80)),  # a deployment id or a commit
    Column("actor", TEXT, nullable=False),
    Column("reason", TEXT, nullable=False),
    Column("until", Moment),
    Column("created_at", Moment, nullable=False),
    Column("done_at", Moment),
    Column("outcome", TEXT),
    Index("interventions_open", "kind", "app", sqlite_where=text("done_at IS NULL")),
)

ledger = Table(
    "ledger",
    metadata,
    Column("sequence", Serial, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("kind", letters(32), nullable=False),
    Column("app", letters(200)),
    Column("environment", letters(200)),
    Column("subject", letters(80)),
    Column("actor", TEXT, nullable=False),
    Column("body", Json, nullable=False),
    Index("ledger_subject", "subject"),
    sqlite_autoincrement=True,
)

seals = Table(
    "seals",
    metadata,
    Column("upto", BigInteger, primary_key=True, autoincrement=False),  # the last ledger row that the hash covers
    Column("hash", letters(64), nullable=False),
    Column("at", Moment, nullable=False),
)
