"""Version 0001: the tables of the first release, and the secret of this installation.

The secret is made here, once for each database, because keys and the addresses of documents are checked with it: it
must be the same in all servers of one database, and be in the backup with what depends on it.
"""

import os

import sqlalchemy as sa
from alembic import op

from paraphe.store import Money, UtcDateTime

revision = "0001"
down_revision = None

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _index_words(table: str) -> None:
    has_word = sa.text("name_word IS NOT NULL")
    for name, column in (("name_word", "name_word"), ("named", "id")):
        columns = ["account_id", column]
        op.create_index(f"ix_{table}_{name}", table, columns, sqlite_where=has_word, postgresql_where=has_word)


def upgrade() -> None:
    """Create all tables, and the secret `server`: 32 random bytes."""
    op.create_table(
        "account",
        sa.Column("id", _Id, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("api_user", sa.String(64), nullable=False),
        sa.Column("environment", sa.String(16), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("tolerant", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_on", UtcDateTime(), nullable=False),
        sa.Column("last_record", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_revision", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("words_lacking", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("threshold", sa.Integer()),
        sa.Column("organisation", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("api_user", name="uq_account_api_user"),
        sa.UniqueConstraint("name", "environment", name="uq_account_name_environment"),
    )
    op.create_table(
        "key",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("label", sa.String(100), nullable=False),
        sa.Column("created_on", UtcDateTime(), nullable=False),
        sa.Column("last_used_on", UtcDateTime()),
        sa.Column("revoked_on", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_key"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_key_account_id"),
        sa.UniqueConstraint("account_id", "digest", name="uq_key_account_id_digest"),
        sa.UniqueConstraint("digest", name="uq_key_digest"),
    )
    op.create_table(
        "seal",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("uri", sa.Text()),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("created_on", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_seal"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_seal_account_id"),
        sa.UniqueConstraint("account_id", name="uq_seal_account_id"),
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_secret"),
    )
    op.create_table(
        "student",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("civility", sa.Text()),
        sa.Column("last_name", sa.Text()),
        sa.Column("first_name", sa.Text()),
        sa.Column("birth_date", sa.Date()),
        sa.Column("email", sa.Text()),
        sa.Column("mobile_phone", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("start", sa.Date()),
        sa.Column("end", sa.Date()),
        sa.Column("employer", sa.Text()),
        sa.Column("financers", sa.Text()),
        sa.Column("groups", sa.Text()),
        sa.Column("training", sa.Text()),
        sa.Column("degree", sa.Text()),
        sa.Column("opca_number", sa.Text()),
        sa.Column("region_number", sa.Text()),
        sa.Column("unemployed_number", sa.Text()),
        sa.Column("file_number", sa.Text()),
        sa.Column("cfa_number", sa.Text()),
        sa.Column("required_signature", sa.Boolean()),
        sa.Column("data", sa.Text()),
        sa.Column("name_word", sa.Text()),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_on", UtcDateTime(), nullable=False),
        sa.Column("modified_on", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_student"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_student_account_id"),
        sa.UniqueConstraint("account_id", "reference", name="uq_student_account_id_reference"),
    )
    _index_words("student")
    op.create_table(
        "teacher",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("civility", sa.Text()),
        sa.Column("last_name", sa.Text()),
        sa.Column("first_name", sa.Text()),
        sa.Column("birth_date", sa.Date()),
        sa.Column("email", sa.Text()),
        sa.Column("mobile_phone", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("start", sa.Date()),
        sa.Column("end", sa.Date()),
        sa.Column("employer", sa.Text()),
        sa.Column("data", sa.Text()),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_on", UtcDateTime(), nullable=False),
        sa.Column("modified_on", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_teacher"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_teacher_account_id"),
        sa.UniqueConstraint("account_id", "reference", name="uq_teacher_account_id_reference"),
    )
    op.create_table(
        "classroom",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("type", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("site_reference", sa.Text()),
        sa.Column("site_name", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("capacity", sa.Integer()),
        sa.Column("equipment", sa.Text()),
        sa.Column("remote", sa.Boolean()),
        sa.Column("data", sa.Text()),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_on", UtcDateTime(), nullable=False),
        sa.Column("modified_on", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_classroom"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_classroom_account_id"),
        sa.UniqueConstraint("account_id", "reference", name="uq_classroom_account_id_reference"),
    )
    op.create_table(
        "course",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("training_reference", sa.Text()),
        sa.Column("training_name", sa.Text()),
        sa.Column("module", sa.Text()),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("end", UtcDateTime(), nullable=False),
        sa.Column("classroom", sa.Text()),
        sa.Column("modality", sa.Text()),
        sa.Column("teachers", sa.Text()),
        sa.Column("students", sa.Text()),
        sa.Column("groups", sa.Text()),
        sa.Column("break_minutes", sa.Integer()),
        sa.Column("signature_opens_before", sa.Integer()),
        sa.Column("signature_closes_after", sa.Integer()),
        sa.Column("cancelled", sa.Boolean()),
        sa.Column("invoiceable", sa.Boolean()),
        sa.Column("data", sa.Text()),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_on", UtcDateTime(), nullable=False),
        sa.Column("modified_on", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_course"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_course_account_id"),
        sa.UniqueConstraint("account_id", "reference", name="uq_course_account_id_reference"),
    )
    op.create_index("ix_course_date", "course", ["account_id", "date"])
    op.create_table(
        "contact",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("type", sa.Text()),
        sa.Column("organisation", sa.Text()),
        sa.Column("civility", sa.Text()),
        sa.Column("last_name", sa.Text()),
        sa.Column("first_name", sa.Text()),
        sa.Column("birth_date", sa.Date()),
        sa.Column("email", sa.Text()),
        sa.Column("mobile_phone", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("start", sa.Date()),
        sa.Column("end", sa.Date()),
        sa.Column("siret", sa.Text()),
        sa.Column("vat_number", sa.Text()),
        sa.Column("data", sa.Text()),
        sa.Column("name_word", sa.Text()),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_on", UtcDateTime(), nullable=False),
        sa.Column("modified_on", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_contact"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_contact_account_id"),
        sa.UniqueConstraint("account_id", "reference", name="uq_contact_account_id_reference"),
    )
    _index_words("contact")
    op.create_table(
        "attendance",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("course_id", _Id, nullable=False),
        sa.Column("person_type", sa.String(8), nullable=False),
        sa.Column("person_reference", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("collect_mode", sa.Text()),
        sa.Column("place", sa.Text()),
        sa.Column("arrived_at", UtcDateTime()),
        sa.Column("left_at", UtcDateTime()),
        sa.Column("minutes_present", sa.Integer()),
        sa.Column("collected_on", UtcDateTime()),
        sa.Column("received_on", UtcDateTime()),
        sa.Column("justification", sa.Text()),
        sa.Column("flags", sa.Text()),
        sa.Column("image_sha256", sa.String(64)),
        sa.Column("link", sa.LargeBinary(16), nullable=False),
        sa.Column("modified_on", UtcDateTime(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attendance"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_attendance_account_id"),
        sa.ForeignKeyConstraint(["course_id"], ["course.id"], name="fk_attendance_course_id"),
        sa.UniqueConstraint("account_id", "revision", name="uq_attendance_account_id_revision"),
        sa.UniqueConstraint(
            "course_id",
            "person_type",
            "person_reference",
            name="uq_attendance_course_id_person_type_person_reference",
        ),
        sa.UniqueConstraint("link", name="uq_attendance_link"),
    )
    op.create_index("ix_attendance_modified", "attendance", ["account_id", "modified_on"])
    op.create_index("ix_attendance_course", "attendance", ["course_id", "revision"])
    op.create_index("ix_attendance_person", "attendance", ["account_id", "person_type", "person_reference", "revision"])
    op.create_index("ix_attendance_status", "attendance", ["account_id", "status", "revision"])
    op.create_table(
        "record",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("record_number", sa.String(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("extracted_version", sa.Integer()),
        sa.Column("extracted_on", UtcDateTime()),
        sa.Column("created_on", UtcDateTime(), nullable=False),
        sa.Column("modified_on", UtcDateTime(), nullable=False),
        sa.Column("invoice_number", sa.Text()),
        sa.Column("invoice_date", sa.Date()),
        sa.Column("period_start", sa.Date()),
        sa.Column("period_end", sa.Date()),
        sa.Column("payer_reference", sa.Text()),
        sa.Column("payer_name", sa.Text()),
        sa.Column("contract_number", sa.Text()),
        sa.Column("file_number", sa.Text()),
        sa.Column("seller_siret", sa.Text()),
        sa.Column("quantity", Money()),
        sa.Column("unit", sa.Text()),
        sa.Column("amount_excl_vat", Money()),
        sa.Column("vat_amount", Money()),
        sa.Column("amount_incl_vat", Money()),
        sa.Column("trainees", sa.Text()),
        sa.Column("document_count", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("link", sa.LargeBinary(16), nullable=False),
        sa.Column("to_extract", sa.Boolean(), nullable=False),
        sa.Column("papers_wanted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("papers_made", sa.Integer(), server_default="0", nullable=False),
        sa.Column("papers_facts", sa.String(64)),
        sa.PrimaryKeyConstraint("id", name="pk_record"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_record_account_id"),
        sa.UniqueConstraint("account_id", "record_number", name="uq_record_account_id_record_number"),
        sa.UniqueConstraint("link", name="uq_record_link"),
    )
    op.create_index("ix_record_account", "record", ["account_id", "id"])
    op.create_index("ix_record_created", "record", ["account_id", "created_on", "id", "to_extract"])
    op.create_index("ix_record_invoice_number", "record", ["account_id", "invoice_number", "id"])
    waiting = {
        "ix_record_to_extract": ["account_id", "id", "to_extract"],
        "ix_record_status_to_extract": ["account_id", "status", "id", "to_extract"],
    }
    for name, columns in waiting.items():
        op.create_index(
            name, "record", columns, sqlite_where=sa.text("to_extract = 1"), postgresql_where=sa.text("to_extract")
        )
    op.create_table(
        "document",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("record_id", _Id, nullable=False),
        sa.Column("document_id", sa.String(32), nullable=False),
        sa.Column("document_type", sa.String(32), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("file_name", sa.Text()),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_on", UtcDateTime(), nullable=False),
        sa.Column("link", sa.LargeBinary(16), nullable=False),
        sa.Column("made", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("data_sha256", sa.String(64)),
        sa.Column("seal_level", sa.String(8)),
        sa.Column("seal_lack", sa.String(32)),
        sa.Column("replaced_in", sa.Integer()),
        sa.Column("copy_of", _Id),
        sa.Column("whole_of", sa.Integer()),
        sa.Column("left_out", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_document_account_id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name="fk_document_record_id"),
        sa.UniqueConstraint("document_id", name="uq_document_document_id"),
        sa.UniqueConstraint("link", name="uq_document_link"),
    )
    op.create_index("ix_document_record_id", "document", ["record_id"])
    op.create_table(
        "mention",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("record_id", _Id, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mention"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_mention_account_id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name="fk_mention_record_id"),
        sa.UniqueConstraint(
            "account_id", "kind", "reference", "record_id", name="uq_mention_account_id_kind_reference_record_id"
        ),
    )
    op.create_index("ix_mention_record_id", "mention", ["record_id"])
    op.create_table(
        "record_event",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("record_id", _Id, nullable=False),
        sa.Column("happened_on", UtcDateTime(), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("before", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_record_event"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_record_event_account_id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name="fk_record_event_record_id"),
    )
    op.create_index("ix_record_event_record_id", "record_event", ["record_id"])
    op.create_table(
        "job",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("record_id", _Id, nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("created_on", UtcDateTime(), nullable=False),
        sa.Column("run_after", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("taken_by", sa.String(32)),
        sa.Column("taken_until", UtcDateTime()),
        sa.Column("reason", sa.String(64)),
        sa.Column("failed_on", UtcDateTime()),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_job_account_id"),
        sa.ForeignKeyConstraint(["record_id"], ["record.id"], name="fk_job_record_id"),
    )
    op.create_index("ix_job_record_id", "job", ["record_id"])
    for name, job_columns, which in (
        ("ix_job_run_after", ["run_after", "id", "kind"], "failed_on IS NULL"),
        ("ix_job_taken_until", ["taken_until"], "taken_until IS NOT NULL"),
    ):
        op.create_index(name, "job", job_columns, sqlite_where=sa.text(which), postgresql_where=sa.text(which))
    op.create_table(
        "message",
        sa.Column("id", _Id, nullable=False),
        sa.Column("account_id", _Id, nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("operation", sa.String(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.Column("answered_on", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_message"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_message_account_id"),
        sa.UniqueConstraint("account_id", "message_id", name="uq_message_account_id_message_id"),
    )
    op.create_table(
        "journal",
        sa.Column("id", _Id, nullable=False),
        sa.Column("request_id", sa.String(32), nullable=False),
        sa.Column("account_id", _Id),
        sa.Column("face", sa.String(16), nullable=False),
        sa.Column("operation", sa.String(32)),
        sa.Column("message_id", sa.String(64)),
        sa.Column("received_on", UtcDateTime(), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("request_bytes", sa.BigInteger(), nullable=False),
        sa.Column("answer_bytes", sa.BigInteger(), nullable=False),
        sa.Column("return_code", sa.String(16), nullable=False),
        sa.Column("duplicate", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("error_codes", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_journal_account_id"),
        sa.UniqueConstraint("request_id", name="uq_journal_request_id"),
    )
    op.create_index("ix_journal_account", "journal", ["account_id", "received_on"])
    secret = sa.table("secret", sa.column("name", sa.String()), sa.column("value", sa.LargeBinary()))
    op.execute(secret.insert().values(name="server", value=os.urandom(32)))
