"""The extraction of records into a folder: nothing lost, nothing twice."""

import csv
import hashlib
import os
import signal

import pytest

from paraphe_client import ExchangeUnavailable, extract_records
from paraphe_client.durable import Busy, locked

from .conftest import waiting
from .fake import Document

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "inbox"


@pytest.fixture
def records(fake):
    """Five records, each with a content of its own."""
    fake.records.update({f"2026-00000{n}": Document(f"record {n} ".encode() * 1000) for n in range(1, 6)})
    return fake.records


def index(folder):
    text = (folder / "index.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(text.splitlines(), delimiter=";"))


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != "index.csv")


def assert_whole(folder, records):
    """Every newest version is there, once, and the index says so; nothing else is there."""
    names = {f"{number}-v{record.version}.zip": record for number, record in records.items()}
    rows = index(folder)
    assert files(folder) == sorted(row["file"] for row in rows)
    assert len({row["file"] for row in rows}) == len(rows)
    for name, record in names.items():
        content = (folder / name).read_bytes()
        assert content == b"PK" + record.content
        (row,) = (row for row in rows if row["file"] == name)
        assert row["sha256"] == hashlib.sha256(content).hexdigest()
    assert all(record.extracted == record.version for record in records.values())


def extracted(exchange, folder, patience, **options):
    return extract_records(exchange, folder, patience=patience, limit=2, **options)


@pytest.mark.parametrize("marks", [True, False])
def test_every_record_comes_page_by_page_and_is_extracted_then(fake, exchange, folder, records, patience, marks):
    fake.marks = marks
    done = extracted(exchange, folder, patience)

    assert len(done.files) == 5
    assert_whole(folder, records)
    assert ("AcknowledgeRecords" in fake.operations()) is not marks
    assert extracted(exchange, folder, patience).files == []


def test_the_index_says_what_each_file_is(exchange, folder, records, patience):
    extracted(exchange, folder, patience, format="pdf")

    row = index(folder)[0]
    assert (row["file"], row["recordNumber"], row["version"]) == ("2026-000001-v1.pdf", "2026-000001", "1")
    assert (row["invoiceNumber"], row["invoiceDate"], row["amountInclVat"]) == ("F-1", "2026-08-31", "-1200.00")
    assert (folder / row["file"]).read_bytes().startswith(b"%PDF")


def test_a_record_that_changed_later_is_a_new_file(exchange, folder, records, patience):
    extracted(exchange, folder, patience)
    records["2026-000003"] = Document(b"new", version=2, extracted=1)

    assert extracted(exchange, folder, patience).files == ["2026-000003-v2.zip"]
    assert_whole(folder, records)
    assert (folder / "2026-000003-v1.zip").exists()


def change(record):
    """Make a newer version of a record."""
    record.version += 1
    record.content += b" newer"


def test_a_record_that_changes_while_it_is_downloaded_is_had_in_its_newer_version(
    fake, exchange, folder, records, patience
):
    fake.download.append(lambda _: change(records["2026-000001"]))
    extracted(exchange, folder, patience)

    assert_whole(folder, records)
    assert not (folder / "2026-000001-v1.zip").exists()


def test_a_record_that_changes_just_before_the_acknowledgement_is_not_lost(fake, exchange, folder, records, patience):
    fake.marks = False
    changed: list[None] = []

    def late(handler):
        if fake.received[-1].operation == "AcknowledgeRecords" and not changed:
            changed.append(change(records["2026-000002"]))

    fake.arrive.extend([late] * 30)
    extracted(exchange, folder, patience)

    assert changed
    assert_whole(folder, records)


def test_an_address_that_expired_is_looked_up_again(fake, exchange, folder, records, patience, monkeypatch):
    real, used = fake.record_index, []

    def expired(number, tag):
        used.append(number)
        text = real(number, tag)
        return text.replace("/records/", "/old/") if used.count(number) == 1 else text

    monkeypatch.setattr(fake, "record_index", expired)
    extracted(exchange, folder, patience)

    assert_whole(folder, records)


def test_a_record_without_a_document_waits_and_a_failed_one_is_tried_again(fake, exchange, folder, records, patience):
    records["2026-000001"].pdf = False
    fake.download.extend([lambda handler: handler.answer(404, b"") or True])
    done = extracted(exchange, folder, patience, format="pdf")

    assert done.without_document == ["2026-000001"]
    assert list(done.failed) == ["2026-000002"]
    assert len(done.files) == 3

    records["2026-000002"].extracted = 1  # though the server took it for extracted
    assert extracted(exchange, folder, patience, format="pdf").files == ["2026-000002-v1.pdf"]


def test_a_sign_in_page_is_not_taken_for_a_document(fake, exchange, folder, records, patience):
    page = b"<html>Sign in</html>"
    fake.download.append(lambda handler: handler.answer(200, page) or True)
    done = extracted(exchange, folder, patience)

    assert list(done.failed) == ["2026-000001"]
    assert len(done.files) == 4


def test_a_download_that_breaks_off_is_begun_again(fake, exchange, folder, records, patience):
    fake.download.append(lambda handler: handler.answer(200, b"PK" * 500_000, cut=1) or True)
    extracted(exchange, folder, patience)

    assert_whole(folder, records)


def test_a_network_that_stays_away_ends_the_extraction_and_the_next_one_goes_on(
    fake, exchange, folder, records, patience
):
    fake.download.extend([lambda _: False, *[lambda handler: handler.answer(200, b"PK" * 9, cut=1) or True] * 20])
    with pytest.raises(ExchangeUnavailable):
        extracted(exchange, folder, waiting(2))
    fake.download.clear()
    extracted(exchange, folder, patience)

    assert_whole(folder, records)
    assert records["2026-000001"].downloads == 1


def test_no_number_of_a_record_leaves_the_folder_or_meets_another(fake, exchange, folder, patience):
    from paraphe_client.answers import RecordIndex
    from paraphe_client.extract import _name

    def name(number):
        members = dict.fromkeys(RecordIndex.__dataclass_fields__)
        return _name(RecordIndex(**{**members, "record_number": number, "version": 1}), "zip")

    odd = [
        "../../etc",
        "..",
        ".hidden",
        "a/b",
        "a_b",
        "a b",
        "A:b",
        "é" * 32,
        "漢" * 32,
        "漢" * 31 + "字",
        "-x",
        "=x",
        "%2Fx",
    ]
    names = [name(number) for number in odd]

    assert len(set(names)) == len(odd)
    for text in names:
        assert set(text.encode()) <= set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789%._-~")
        assert text[0] not in ".-="
        assert len(text) < 200


def test_two_extractions_do_not_meet_in_a_folder(exchange, folder, patience):
    folder.mkdir()
    with locked(folder / ".paraphe-extract.json"), pytest.raises(Busy):
        extracted(exchange, folder, patience)


@pytest.mark.parametrize("marks", [True, False])
def test_killed_at_any_step_nothing_is_lost_and_nothing_comes_twice(
    fake, exchange, folder, records, patience, killed_everywhere, marks
):
    fake.marks = marks
    del records["2026-000004"], records["2026-000005"]

    def begin():
        for record in records.values():
            record.extracted = 0
        for path in folder.iterdir() if folder.exists() else ():
            path.unlink()

    assert (
        killed_everywhere(begin, lambda: extracted(exchange, folder, patience), lambda: assert_whole(folder, records))
        > 30
    )


# --- a real process, really killed -----------------------------------------------------------------------------


def half(command):
    """Send half of a document, then kill the client."""

    def send(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "200000")
        handler.end_headers()
        handler.wfile.write(b"PK" * 50_000)
        handler.wfile.flush()
        command.kill()
        handler.close_connection = True
        return True

    return send


@pytest.mark.parametrize("moment", ["list stored", "during a download", "after a download", "at the acknowledgement"])
def test_a_killed_process_goes_on(fake, command, folder, records, moment):
    keep = lambda _: False  # noqa: E731
    if moment == "list stored":
        fake.download += [command.kill]
    elif moment == "during a download":
        fake.download += [keep, half(command)]
    elif moment == "after a download":
        fake.arrive += [keep, keep, keep, command.kill]  # at the second look at a version
    else:
        fake.marks = False
        fake.arrive += [keep] * 6 + [command.kill]
    command.dies("extract", folder)
    command("extract", folder)

    assert_whole(folder, records)
    if moment == "at the acknowledgement":
        assert all(record.downloads == 1 for record in records.values())


@pytest.mark.parametrize("step", ["rename", "index"])
def test_a_process_killed_between_the_name_and_the_end_of_the_page_goes_on(fake, command, folder, records, step):
    import subprocess
    import sys

    program = """
import os, signal, sys
from paraphe_client import durable
from paraphe_client.__main__ import main
real = durable.append
def append(path, content):
    if path.stat().st_size > 300 and sys.argv.pop(1) == "rename":
        os.kill(os.getpid(), signal.SIGKILL)
    length = real(path, content)
    if path.stat().st_size > 300:
        os.kill(os.getpid(), signal.SIGKILL)
    return length
durable.append = append
main(["extract", sys.argv[2]])
"""
    process = subprocess.run(
        [sys.executable, "-c", program, step, str(folder)], env=command.environment, capture_output=True, check=False
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    if step == "rename":
        assert len(files(folder)) > len(index(folder))
        with (folder / "index.csv").open("ab") as file:
            file.write(b"2026-0000")  # and a line that the power cut short
            os.fsync(file.fileno())
    command("extract", folder)

    assert_whole(folder, records)
    assert all(record.downloads == 1 for record in records.values())


def test_a_file_that_is_an_older_version_after_a_kill_stands_in_the_index_too(exchange, folder, records, patience):
    extracted(exchange, folder, patience)
    head, first, rest = (folder / "index.csv").read_bytes().split(b"\n", 2)
    (folder / "index.csv").write_bytes(head + b"\n" + rest)
    (folder / ".paraphe-extract.json").write_text('{"numbers": ["2026-000001"]}')
    change(records["2026-000001"])
    extracted(exchange, folder, patience)

    assert first.startswith(b"2026-000001-v1.zip")
    assert_whole(folder, records)
    assert [row["version"] for row in index(folder) if row["recordNumber"] == "2026-000001"] == ["2", "1"]


def test_a_record_that_never_rests_is_tried_again_later(fake, exchange, folder, records, patience):
    fake.download.extend([lambda _: change(records["2026-000001"])] * 10)
    done = extracted(exchange, folder, patience)

    assert (list(done.failed), len(done.files)) == (["2026-000001"], 4)
    extracted(exchange, folder, patience)
    assert_whole(folder, records)
