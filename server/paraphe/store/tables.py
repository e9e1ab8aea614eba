"""The tables: their columns are the contract's element names in snake_case.

Lists and nested elements (`address`, `data`, `groups`, …) are kept as JSON text: they are written and read as a whole.
"""

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware, always UTC. SQLite keeps it as text of fixed width, so that it sorts."""

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Say what the column is in this database."""
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if dialect.name == "postgresql" else String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Give the driver what it takes; a naive datetime is a mistake of ours (ValueError)."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without time zone")
        return value if dialect.name == "postgresql" else moment_text(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read a moment back as an aware datetime in UTC."""
        if value is None or isinstance(value, datetime):
            return value if value is None else value.astimezone(UTC)
        return datetime.fromisoformat(value)


@lru_cache(4096)
def moment_text(moment: datetime) -> str:
    """Write a moment as SQLite keeps it: 2026-09-14T07:00:00.000000Z."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


class Money(TypeDecorator[Decimal]):
    """A decimal with two places. SQLite has no decimals, so it keeps whole hundredths."""

    impl = Numeric(16, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Say what the column is in this database."""
        return dialect.type_descriptor(Numeric(16, 2) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Give the driver hundredths (SQLite) or the decimal itself."""
        return value if value is None or dialect.name == "postgresql" else int(value.scaleb(2))

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Read a decimal back with its two places."""
        return value if value is None or dialect.name == "postgresql" else Decimal(value).scaleb(-2)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

_Id = BigInteger().with_variant(Integer(), "sqlite")


def _table(name: str, *columns: Any, owned: bool = True) -> Table:
    owner: list[Column[Any]] = [Column("account_id", ForeignKey("account.id"), nullable=False)] if owned else []
    return Table(name, metadata, Column("id", _Id, primary_key=True), *owner, *columns)


def _repository(name: str, *columns: Any) -> Table:
    """A table that a Sync operation brings to what the caller says; keyed by the caller's reference."""
    return _table(
        name,
        Column("reference", String(64), nullable=False),
        *columns,
        Column("active", Boolean, nullable=False, server_default=true()),
        Column("created_on", UtcDateTime, nullable=False),
        Column("modified_on", UtcDateTime, nullable=False),
        UniqueConstraint("account_id", "reference"),
    )


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text) for name in names]


def _person() -> list[Column[Any]]:
    return [
        *_texts("civility", "last_name", "first_name"),
        Column("birth_date", Date),
        *_texts("email", "mobile_phone", "phone", "address"),
        Column("start", Date),
        Column("end", Date),
    ]


account = _table(
    "account",
    Column("name", String(100), nullable=False),
    Column("api_user", String(64), nullable=False, unique=True),
    Column("environment", String(16), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("tolerant", Boolean, nullable=False, server_default=false()),
    Column("created_on", UtcDateTime, nullable=False),
    # Counted up under the account's row lock, so that numbers are given in the order of the commits.
    Column("last_record", BigInteger, nullable=False, server_default="0"),
    Column("last_revision", BigInteger, nullable=False, server_default="0"),
    # True when students or contacts came, or were renamed, since their words were worked out, see work/known.py.
    Column("words_lacking", Boolean, nullable=False, server_default=false()),
    # How sure a value read from an invoice must be, 0 to 100; the reading room's own when empty.
    Column("threshold", Integer),
    # What its papers say of it, as JSON; without it there are none.
    *_texts("organisation"),
    UniqueConstraint("name", "environment"),
    owned=False,
)
key = _table(
    "key",
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("label", String(100), nullable=False),
    Column("created_on", UtcDateTime, nullable=False),
    Column("last_used_on", UtcDateTime),
    Column("revoked_on", UtcDateTime),
    UniqueConstraint("account_id", "digest"),
)
# What an account's documents are signed with.
seal = _table(
    "seal",
    Column("kind", String(16), nullable=False),
    # A PKCS#12 file under the passphrase of this installation, or where in a token the key is.
    Column("content", LargeBinary),
    *_texts("uri"),
    # The certificate and the topmost of its issuers, as PEM: to be shown without the key.
    Column("certificate", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("created_on", UtcDateTime, nullable=False),
    UniqueConstraint("account_id"),
)
secret = Table(
    "secret",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", LargeBinary(32), nullable=False),
)

student = _repository(
    "student",
    *_person(),
    *_texts("employer", "financers", "groups", "training", "degree"),
    *_texts("opca_number", "region_number", "unemployed_number", "file_number", "cfa_number"),
    Column("required_signature", Boolean),
    *_texts("data", "name_word"),
)
teacher = _repository("teacher", *_person(), *_texts("employer", "data"))
classroom = _repository(
    "classroom",
    *_texts("type", "name", "site_reference", "site_name", "address"),
    Column("capacity", Integer),
    *_texts("equipment"),
    Column("remote", Boolean),
    *_texts("data"),
)
course = _repository(
    "course",
    *_texts("name", "training_reference", "training_name", "module"),
    Column("date", Date, nullable=False),
    Column("start", UtcDateTime, nullable=False),
    Column("end", UtcDateTime, nullable=False),
    *_texts("classroom", "modality", "teachers", "students", "groups"),
    Column("break_minutes", Integer),
    Column("signature_opens_before", Integer),
    Column("signature_closes_after", Integer),
    Column("cancelled", Boolean),
    Column("invoiceable", Boolean),
    *_texts("data"),
)
contact = _repository(
    "contact", *_texts("type", "organisation"), *_person(), *_texts("siret", "vat_number", "data", "name_word")
)
# The word by which an invoice finds them, see work/known.py. New rows have none, so that they are in no index for it.
for _named in (student, contact):
    for _name, _column in (("name_word", _named.c.name_word), ("named", _named.c.id)):
        _has_word = _named.c.name_word.is_not(None)
        _index = f"ix_{_named.name}_{_name}"
        Index(_index, _named.c.account_id, _column, sqlite_where=_has_word, postgresql_where=_has_word)

attendance = _table(
    "attendance",
    Column("course_id", ForeignKey("course.id"), nullable=False),
    Column("person_type", String(8), nullable=False),
    Column("person_reference", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    *_texts("collect_mode", "place"),
    Column("arrived_at", UtcDateTime),
    Column("left_at", UtcDateTime),
    Column("minutes_present", Integer),
    Column("collected_on", UtcDateTime),
    Column("received_on", UtcDateTime),
    *_texts("justification", "flags"),
    Column("image_sha256", String(64)),
    Column("link", LargeBinary(16), nullable=False, unique=True),
    Column("modified_on", UtcDateTime, nullable=False),
    # The account's count of changes: readers that go on after the last one miss nothing and repeat nothing.
    Column("revision", BigInteger, nullable=False),
    UniqueConstraint("course_id", "person_type", "person_reference"),
    UniqueConstraint("account_id", "revision"),
)
Index("ix_attendance_modified", attendance.c.account_id, attendance.c.modified_on)
# Whatever callers ask for is found in the order in which it changed, however much else there is.
Index("ix_attendance_course", attendance.c.course_id, attendance.c.revision)
Index(
    "ix_attendance_person",
    attendance.c.account_id,
    attendance.c.person_type,
    attendance.c.person_reference,
    attendance.c.revision,
)
Index("ix_attendance_status", attendance.c.account_id, attendance.c.status, attendance.c.revision)
Index("ix_course_date", course.c.account_id, course.c.date)

record = _table(
    "record",
    Column("record_number", String(32), nullable=False),
    Column("status", String(16), nullable=False),
    Column("version", Integer, nullable=False),
    Column("extracted_version", Integer),
    Column("extracted_on", UtcDateTime),
    Column("created_on", UtcDateTime, nullable=False),
    Column("modified_on", UtcDateTime, nullable=False),
    *_texts("invoice_number"),
    Column("invoice_date", Date),
    Column("period_start", Date),
    Column("period_end", Date),
    *_texts("payer_reference", "payer_name", "contract_number", "file_number", "seller_siret"),
    Column("quantity", Money),
    *_texts("unit"),
    Column("amount_excl_vat", Money),
    Column("vat_amount", Money),
    Column("amount_incl_vat", Money),
    *_texts("trainees"),
    Column("document_count", Integer, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("link", LargeBinary(16), nullable=False, unique=True),
    # True while `extracted_version` is behind `version`: the list of these has an index of its own.
    Column("to_extract", Boolean, nullable=False),
    # How often papers were asked for, and for which of these times they were made.
    Column("papers_wanted", Integer, nullable=False, server_default="0"),
    Column("papers_made", Integer, nullable=False, server_default="0"),
    # The digest of the facts that they state.
    Column("papers_facts", String(64)),
    UniqueConstraint("account_id", "record_number"),
)
for _name, _columns in {
    # `to_extract` is in them so that SQLite counts without a look at the records.
    "ix_record_to_extract": (record.c.account_id, record.c.id, record.c.to_extract),
    "ix_record_status_to_extract": (record.c.account_id, record.c.status, record.c.id, record.c.to_extract),
}.items():
    Index(_name, *_columns, sqlite_where=text("to_extract = 1"), postgresql_where=record.c.to_extract)
Index("ix_record_account", record.c.account_id, record.c.id)
Index("ix_record_created", record.c.account_id, record.c.created_on, record.c.id, record.c.to_extract)
Index("ix_record_invoice_number", record.c.account_id, record.c.invoice_number, record.c.id)
document = _table(
    "document",
    Column("record_id", ForeignKey("record.id"), nullable=False, index=True),
    Column("document_id", String(32), nullable=False, unique=True),
    Column("document_type", String(32), nullable=False),
    *_texts("title", "file_name"),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("created_on", UtcDateTime, nullable=False),
    Column("link", LargeBinary(16), nullable=False, unique=True),
    # A paper that the server made: the digest of what it says as JSON, and the record's version that replaced it.
    Column("made", Boolean, nullable=False, server_default=false()),
    Column("data_sha256", String(64)),
    # What its seal reached, and why that is not what was aimed at; empty without a seal of ours.
    Column("seal_level", String(8)),
    Column("seal_lack", String(32)),
    Column("replaced_in", Integer),
    # A sealed copy: the id of the untouched original beside which it lies.
    Column("copy_of", _Id),
    # All of the record in one PDF, not listed among its documents: the version that it holds, and as JSON the names of
    # what could not be joined.
    Column("whole_of", Integer),
    *_texts("left_out"),
)
# Of what the papers of a record speak: rows of the repositories, by their references, and the groups of trainees.
mention = _table(
    "mention",
    Column("kind", String(12), nullable=False),
    Column("reference", String(64), nullable=False),
    Column("record_id", ForeignKey("record.id"), nullable=False, index=True),
    UniqueConstraint("account_id", "kind", "reference", "record_id"),
)
record_event = _table(
    "record_event",
    Column("record_id", ForeignKey("record.id"), nullable=False, index=True),
    Column("happened_on", UtcDateTime, nullable=False),
    Column("event", String(32), nullable=False),
    Column("request_id", String(32), nullable=False),
    # Who did it: the user of an account, the operator, or the server by itself.
    Column("actor", String(64), nullable=False),
    # What the record said before, and what came of it, each as JSON.
    *_texts("before", "outcome"),
)
job = _table(
    "job",
    Column("kind", String(16), nullable=False),
    Column("record_id", ForeignKey("record.id"), nullable=False, index=True),
    Column("request_id", String(32), nullable=False),
    Column("created_on", UtcDateTime, nullable=False),
    Column("run_after", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    # Both are empty unless somebody works on it.
    Column("taken_by", String(32)),
    Column("taken_until", UtcDateTime),
    # Why the last try came to nothing; with a date when there will be no other.
    Column("reason", String(64)),
    Column("failed_on", UtcDateTime),
)
# Those that failed stay, and are looked at by operators alone. `kind` is in it for nodes that cannot do all of them.
Index(
    "ix_job_run_after",
    job.c.run_after,
    job.c.id,
    job.c.kind,
    sqlite_where=job.c.failed_on.is_(None),
    postgresql_where=job.c.failed_on.is_(None),
)
Index(
    "ix_job_taken_until",
    job.c.taken_until,
    sqlite_where=job.c.taken_until.is_not(None),
    postgresql_where=job.c.taken_until.is_not(None),
)

message = _table(
    "message",
    Column("message_id", String(64), nullable=False),
    Column("operation", String(32), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    # To be given again; see remembered.py.
    Column("answer", LargeBinary, nullable=False),
    Column("answered_on", UtcDateTime, nullable=False),
    UniqueConstraint("account_id", "message_id"),
)
journal = Table(
    "journal",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("request_id", String(32), nullable=False, unique=True),
    # Unknown when the caller was not recognised.
    Column("account_id", ForeignKey("account.id")),
    Column("face", String(16), nullable=False),
    Column("operation", String(32)),
    Column("message_id", String(64)),
    Column("received_on", UtcDateTime, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("request_bytes", BigInteger, nullable=False),
    Column("answer_bytes", BigInteger, nullable=False),
    Column("return_code", String(16), nullable=False),
    Column("duplicate", Boolean, nullable=False, server_default=false()),
    Column("error_codes", Text),
)
Index("ix_journal_account", journal.c.account_id, journal.c.received_on)
