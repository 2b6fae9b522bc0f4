"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WINDOW = sa.text('"window" IS NOT NULL')
HOLDER = sa.text("holder IS NOT NULL")
GOLD = sa.text("purpose = 'gold'")
STANDING = sa.text("retracted_at IS NULL")


def upgrade() -> None:
    """Make every table."""
    _positions()
    _items()
    _labels()
    _outbox()
    _recheck()
    _vectors()
    _windows()
    _annotators()
    _function_sets()
    _questions()
    _answers()
    _skips()
    _bundles()
    _budgets()
    _spend()
    _duties()
    _processes()
    _counters()
    _facts()


def _positions() -> None:
    op.create_table(
        "positions",
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("stored", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("topic_id", "partition", name="pk_positions"),
    )


def _items() -> None:
    op.create_table(
        "items",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("topic_id", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("functions", sa.Integer(), nullable=False),
        sa.Column("inline", sa.LargeBinary(), nullable=False),
        sa.Column("classifier", sa.LargeBinary()),
        sa.Column("bundle", sa.BigInteger()),
        sa.Column("posterior", sa.LargeBinary(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("score", sa.REAL(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("window", sa.BigInteger()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sent_back", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ready_since", sa.BigInteger()),
        sa.Column("changed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_items"),
    )
    op.create_index("ix_items_arrived", "items", ["arrived"])
    op.create_index("ix_items_state_ready_since", "items", ["state", "ready_since"])


def _labels() -> None:
    op.create_table(
        "labels",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("probabilities", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("window", sa.BigInteger()),
        sa.Column("bundle", sa.BigInteger()),
        sa.Column("cost", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("item", "revision", name="pk_labels"),
        sqlite_with_rowid=False,
    )


def _outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("seq", SERIAL, nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), nullable=False),
        sa.Column("messages", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_outbox"),
        sqlite_autoincrement=True,
    )


def _recheck() -> None:
    op.create_table(
        "recheck",
        sa.Column("seq", SERIAL, nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_recheck"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recheck_due_seq", "recheck", ["due", "seq"])


def _vectors() -> None:
    op.create_table(
        "vectors",
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("encoder", sa.Text(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("item", "encoder", name="pk_vectors"),
    )


def _windows() -> None:
    op.create_table(
        "windows",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("p", sa.Double(), nullable=False),
        sa.Column("alpha", sa.Double(), nullable=False),
        sa.Column("delta", sa.Double(), nullable=False),
        sa.Column("lambdas", sa.LargeBinary(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Double(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("frozen_at", sa.BigInteger(), nullable=False),
        sa.Column("frozen", sa.LargeBinary(), nullable=False),
        sa.Column("seed", sa.Text()),
        sa.Column("audited", sa.LargeBinary()),
        sa.Column("accepted", sa.LargeBinary()),
        sa.Column("errors", sa.LargeBinary()),
        sa.Column("tau", sa.Double()),
        sa.Column("certified", sa.Integer()),
        sa.Column("wrong", sa.LargeBinary()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_windows"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_windows_state_id", "windows", ["state", "id"])


def _annotators() -> None:
    op.create_table(
        "annotators",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text()),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_annotators"),
        sa.UniqueConstraint("kind", "name", "version", name="uq_annotators_kind_name_version"),
        sqlite_autoincrement=True,
    )


def _function_sets() -> None:
    op.create_table(
        "function_sets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("annotators", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_function_sets"),
        sa.UniqueConstraint("annotators", name="uq_function_sets_annotators"),
        sqlite_autoincrement=True,
    )


def _questions() -> None:
    op.create_table(
        "questions",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("window", sa.BigInteger()),
        sa.Column("priority", sa.Double(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("reserved_for", sa.Integer()),
        sa.Column("holder", sa.Integer()),
        sa.Column("leased_until", sa.BigInteger()),
        sa.Column("attempt", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("closed", sa.BigInteger()),
        sa.ForeignKeyConstraint(["holder"], ["annotators.id"], name="fk_questions_holder"),
        sa.ForeignKeyConstraint(["reserved_for"], ["annotators.id"], name="fk_questions_reserved_for"),
        sa.ForeignKeyConstraint(["window"], ["windows.id"], name="fk_questions_window"),
        sa.PrimaryKeyConstraint("id", name="pk_questions"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_questions_holder", "questions", ["holder"], postgresql_where=HOLDER, sqlite_where=HOLDER
    )
    op.create_index("ix_questions_gold", "questions", ["state"], postgresql_where=GOLD, sqlite_where=GOLD)
    op.create_index("ix_questions_item", "questions", ["item"])
    op.create_index("ix_questions_queue", "questions", ["tier", "state", sa.text("priority DESC"), "id"])
    op.create_index(
        "ix_questions_window", "questions", ["window"], postgresql_where=WINDOW, sqlite_where=WINDOW
    )


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("annotator", sa.Integer(), nullable=False),
        sa.Column("question", sa.BigInteger()),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("probabilities", sa.LargeBinary()),
        sa.Column("seconds", sa.REAL(), server_default="0", nullable=False),
        sa.Column("cost", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("trace", sa.Text()),
        sa.Column("external", sa.Text()),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("retracted_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["annotator"], ["annotators.id"], name="fk_answers_annotator"),
        sa.ForeignKeyConstraint(["question"], ["questions.id"], name="fk_answers_question"),
        sa.PrimaryKeyConstraint("id", name="pk_answers"),
        sa.UniqueConstraint("external", name="uq_answers_external"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_answers_annotator_id", "answers", ["annotator", "id"])
    op.create_index("ix_answers_purpose", "answers", ["purpose"])
    op.create_index("ix_answers_question", "answers", ["question"])
    op.create_index(
        "uq_answers_standing",
        "answers",
        ["item", "annotator"],
        unique=True,
        postgresql_where=STANDING,
        sqlite_where=STANDING,
    )


def _skips() -> None:
    op.create_table(
        "skips",
        sa.Column("question", sa.BigInteger(), nullable=False),
        sa.Column("annotator", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["annotator"], ["annotators.id"], name="fk_skips_annotator"),
        sa.ForeignKeyConstraint(["question"], ["questions.id"], name="fk_skips_question"),
        sa.PrimaryKeyConstraint("question", "annotator", name="pk_skips"),
    )


def _bundles() -> None:
    op.create_table(
        "bundles",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("run_id", sa.Text()),
        sa.Column("mlflow_version", sa.Text()),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("trained_at", sa.BigInteger(), nullable=False),
        sa.Column("promoted_at", sa.BigInteger()),
        sa.Column("answers_seen", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_bundles"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_bundles_current",
        "bundles",
        ["current"],
        unique=True,
        postgresql_where=sa.text("current"),
        sqlite_where=sa.text("current"),
    )


def _budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("cap", sa.BigInteger()),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tier", "period", name="pk_budgets"),
    )


def _spend() -> None:
    op.create_table(
        "spend",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("annotator", sa.Integer()),
        sa.Column("question", sa.BigInteger()),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("micros", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("seconds", sa.REAL(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["annotator"], ["annotators.id"], name="fk_spend_annotator"),
        sa.PrimaryKeyConstraint("id", name="pk_spend"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_spend_item", "spend", ["item"])
    op.create_index("ix_spend_question", "spend", ["question"])


def _duties() -> None:
    op.create_table(
        "duties",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_duties"),
    )


def _processes() -> None:
    op.create_table(
        "processes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_processes"),
    )


def _counters() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_counters"),
    )


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
    )
