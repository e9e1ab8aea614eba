"""The polling of signatures."""

import base64
import datetime
import hashlib
import json
from pathlib import Path

import pytest

from paraphe_client import ExchangeRefused, ExchangeUnavailable, Question, durable, poll_signatures
from paraphe_client.durable import Busy, locked
from paraphe_client.poll import OtherQuestion

from .conftest import Killed, waiting
from .fake import error, fault, hang_up, members

SINCE = Question(modified_since=datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC))
PNG = b"\x89PNG signature"
DIGEST = hashlib.sha256(PNG).hexdigest()


class Changes:
    """The changes that the exchange knows; a cursor is how many of them the caller has."""

    def __init__(self, fake, count, size=2):
        self.count, self.size = count, size
        self.digest = DIGEST
        fake.answers["GetSignatureList"] = self.page

    def page(self, request):
        start = int(request.text("cursor") or 0)
        end = min(start + self.size, self.count)
        images = request.text("includeImages") == "true"
        people = "".join(self.participant(number, images) for number in range(start, end))
        course = (
            "<course><courseReference>C1</courseReference><courseName>Droit œ</courseName><date>2026-09-14</date>"
            "<start>2026-09-14T06:30:00Z</start><end>2026-09-14T08:30:00Z</end><cancelled>false</cancelled>"
            f"<participants>{people}</participants></course>"
        )
        more = str(end < self.count).lower()
        courses = f"<courses>{course if people else ''}</courses>"
        return members() + courses + f"<nextCursor>{end}</nextCursor><more>{more}</more>"

    def participant(self, number, images):
        image = f"<image>{base64.b64encode(PNG).decode()}</image>" if images else ""
        return (
            f"<participant><personReference>S{number}</personReference><personType>STUDENT</personType>"
            "<lastName>a</lastName><firstName>b</firstName><status>PRESENT</status>"
            f"<imageSha256>{self.digest}</imageSha256>{image}<modifiedOn>2026-09-14T06:31:00.5Z</modifiedOn></participant>"
        )


@pytest.fixture
def state(tmp_path):
    return tmp_path / "cursor.json"


@pytest.fixture
def output(tmp_path):
    return tmp_path / "signatures.jsonl"


def die_in_the_output(exchange, state, output, patience, monkeypatch):
    """Poll for the first time, and be killed in the middle of a line."""

    def half(path, content):
        with path.open("ab") as file:
            file.write(content[:10])
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(durable, "append", half)
        with pytest.raises(Killed):
            poll_signatures(exchange, state, SINCE, output=output, patience=patience)


def people(output):
    return [json.loads(line)["personReference"] for line in output.read_text(encoding="utf-8").splitlines()]


def test_each_change_comes_once_and_the_cursor_is_kept(fake, exchange, state, output, patience):
    changes = Changes(fake, 5)

    assert poll_signatures(exchange, state, SINCE, output=output, patience=patience) == 5
    assert poll_signatures(exchange, state, output=output, patience=patience) == 0
    changes.count = 6
    assert poll_signatures(exchange, state, SINCE, output=output, patience=patience) == 1
    assert people(output) == ["S0", "S1", "S2", "S3", "S4", "S5"]
    assert fake.received[-1].text("cursor") == "5"
    assert {request.text("modifiedSince") for request in fake.received} == {"2026-09-01T00:00:00Z"}


def test_a_line_holds_the_participant_with_the_course(fake, exchange, state, output, patience):
    Changes(fake, 1)
    poll_signatures(exchange, state, SINCE, output=output, patience=patience)

    assert json.loads(output.read_bytes()) == {
        "courseReference": "C1",
        "courseName": "Droit œ",
        "date": "2026-09-14",
        "start": "2026-09-14T06:30:00Z",
        "end": "2026-09-14T08:30:00Z",
        "cancelled": False,
        "personReference": "S0",
        "personType": "STUDENT",
        "lastName": "a",
        "firstName": "b",
        "status": "PRESENT",
        "imageSha256": DIGEST,
        "modifiedOn": "2026-09-14T06:31:00.500000Z",
        "flags": [],
    }


def test_images_are_saved_under_their_digest(fake, exchange, state, output, patience, tmp_path):
    Changes(fake, 3)
    poll_signatures(exchange, state, SINCE, output=output, images=tmp_path / "images", patience=patience)

    assert [(path.name, path.read_bytes()) for path in (tmp_path / "images").iterdir()] == [(f"{DIGEST}.png", PNG)]


def test_a_damaged_image_is_not_handed_over(fake, exchange, state, output, tmp_path):
    Changes(fake, 3).digest = "0" * 64
    with pytest.raises(ExchangeUnavailable, match="damaged"):
        poll_signatures(exchange, state, SINCE, output=output, images=tmp_path, patience=waiting(3))

    assert not output.exists()


def test_the_first_poll_needs_a_question_and_the_state_keeps_it(fake, exchange, state, output, patience):
    Changes(fake, 1)
    with pytest.raises(OtherQuestion, match="since when"):
        poll_signatures(exchange, state, output=output, patience=patience)
    poll_signatures(exchange, state, SINCE, output=output, patience=patience)
    with pytest.raises(OtherQuestion, match="belongs to another question"):
        poll_signatures(exchange, state, Question(student_reference="S1"), output=output, patience=patience)


def test_a_time_without_a_zone_stays_the_accounts(fake, exchange, state, output, patience):
    Changes(fake, 1)
    naive = Question(modified_since=datetime.datetime(2026, 9, 1))  # noqa: DTZ001
    for _ in range(2):
        poll_signatures(exchange, state, naive, output=output, patience=patience)

    assert {request.text("modifiedSince") for request in fake.received} == {"2026-09-01T00:00:00"}


def test_a_cursor_that_is_not_taken_moves_nothing(fake, exchange, state, output, patience):
    Changes(fake, 1)
    poll_signatures(exchange, state, SINCE, output=output, patience=patience)
    kept = state.read_bytes()
    fake.answers["GetSignatureList"] = lambda _: members("500 ERROR", errors=error("INVALID_CURSOR"))
    with pytest.raises(ExchangeRefused):
        poll_signatures(exchange, state, output=output, patience=patience)

    assert state.read_bytes() == kept


def test_two_polls_with_one_state_do_not_meet(exchange, state, patience):
    with locked(state), pytest.raises(Busy):
        poll_signatures(exchange, state, SINCE, patience=patience)


@pytest.mark.slow
def test_killed_at_any_step_every_change_stands_in_the_output_once(
    fake, exchange, state, output, patience, tmp_path, killed_everywhere
):
    Changes(fake, 5)

    def begin():
        for path in (state, output):
            path.unlink(missing_ok=True)

    def work():
        poll_signatures(exchange, state, SINCE, output=output, images=tmp_path / "images", patience=patience)

    def check():
        assert people(output) == ["S0", "S1", "S2", "S3", "S4"]

    assert killed_everywhere(begin, work, check) > 15


def test_killed_at_any_step_of_a_state_that_began_without_an_output_every_change_stands_there_once(
    fake, exchange, state, output, patience, killed_everywhere
):
    changes = Changes(fake, 1)

    def begin():
        changes.count = 1
        for path in (state, output):
            path.unlink(missing_ok=True)
        poll_signatures(exchange, state, SINCE, patience=patience)
        changes.count = 4

    def work():
        poll_signatures(exchange, state, output=output, patience=patience)

    def check():
        assert people(output) == ["S1", "S2", "S3"]

    assert killed_everywhere(begin, work, check) > 10


def test_a_file_that_was_not_the_output_before_is_only_added_to(fake, exchange, state, output, patience, tmp_path):
    changes = Changes(fake, 1)
    poll_signatures(exchange, state, SINCE, output=output, patience=patience)
    other = tmp_path / "important.txt"
    other.write_bytes(b"important\n" * 1000)
    poll_signatures(exchange, state, output=other, patience=patience)
    assert other.read_bytes() == b"important\n" * 1000

    changes.count = 2
    poll_signatures(exchange, state, output=other, patience=patience)
    assert other.read_bytes().startswith(b"important\n" * 1000 + b'{"courseReference"')
    assert other.read_bytes().count(b"\n") == 1001
    assert people(output) == ["S0"]


def test_nothing_is_taken_off_a_file_that_another_output_was_killed_in(
    fake, exchange, state, output, patience, tmp_path, monkeypatch
):
    Changes(fake, 1)
    die_in_the_output(exchange, state, output, patience, monkeypatch)
    other = tmp_path / "important.txt"
    other.write_bytes(b"important\n" * 1000)
    poll_signatures(exchange, state, output=other, patience=patience)

    assert other.read_bytes().startswith(b"important\n" * 1000 + b'{"courseReference"')


def test_what_others_add_to_the_output_between_two_polls_stays(fake, exchange, state, output, patience):
    changes = Changes(fake, 1)
    poll_signatures(exchange, state, SINCE, output=output, patience=patience)
    with output.open("ab") as file:
        file.write(b'{"personReference": "mine"}\n')
    changes.count = 2
    poll_signatures(exchange, state, output=output, patience=patience)

    assert people(output) == ["S0", "mine", "S1"]


def test_the_output_is_the_same_file_in_whatever_folder_the_poll_is_started(
    fake, exchange, state, output, patience, tmp_path, monkeypatch
):
    Changes(fake, 2)
    die_in_the_output(exchange, state, output, patience, monkeypatch)
    monkeypatch.chdir(tmp_path)
    poll_signatures(exchange, state, output=Path(output.name), patience=patience)

    assert people(output) == ["S0", "S1"]


@pytest.mark.slow
def test_a_killed_process_goes_on_after_what_it_handed_over(fake, command, state, output):
    Changes(fake, 5)
    fake.answered += [lambda _: False, command.kill]
    arguments = ("poll", "--state", state, "--output", output, "--since", "2026-09-01T00:00:00Z")
    command.dies(*arguments)
    command(*arguments)

    assert people(output) == ["S0", "S1", "S2", "S3", "S4"]


def test_the_command_prints_a_line_a_participant_and_polls_again_and_again(fake, command, state):
    changes = Changes(fake, 3)

    def more(_handler):
        changes.count += 1
        return False

    fake.arrive += [lambda _: False, lambda _: False, hang_up, more, command.kill]
    process = command.start(
        "poll", "--state", state, "--period", "2026-09-01", "2026-09-30", "--every", "0.01", "--patience", 0
    )
    out, err = process.communicate(timeout=60)

    assert [json.loads(line)["personReference"] for line in out.splitlines()] == ["S0", "S1", "S2", "S3"]
    assert "The next poll is in 0.01 s" in err


def test_polling_again_and_again_outlasts_a_busy_server_and_ends_with_a_refusal(fake, command, state):
    changes = Changes(fake, 1)
    answers = [fault("1.1", error("SERVER_BUSY")), None, fault("1.1", error("CREDENTIALS_REFUSED"))]

    def answer(request):
        return answers.pop(0) or changes.page(request)

    fake.answers["GetSignatureList"] = answer
    out = command("poll", "--state", state, "--since", "2026-09-01", "--every", "0.01", "--patience", 0, code=1)

    assert [json.loads(line)["personReference"] for line in out.splitlines()] == ["S0"]
    assert "Refused. (requestId req-1) The next poll is in 0.01 s" in command.err
    assert "CREDENTIALS_REFUSED" in command.err
