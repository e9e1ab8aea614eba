"""What cannot be read: answers beside the contract, and files here that are something else."""

import base64
import json
import subprocess
import sys

import pytest

from paraphe_client import ExchangeError, ExchangeRefused, InvoicingElements
from paraphe_client.codec import from_plain

from .fake import ENVELOPES, NS, Document, members


def odd(operation, inner):
    """Answer with something that is not of the contract."""

    def answer(handler):
        handler.soap(next(iter(ENVELOPES)), operation, inner, valid=False)
        return True

    return answer


MAYBE = members().replace("<duplicate>false", "<duplicate>maybe")
NEITHER = [
    (MAYBE, "duplicate is 'maybe'"),
    (members() + "<warnings><warning><code>x</code></warning></warnings>", "message"),
]


# --- answers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("inner", "said"), NEITHER)
def test_an_answer_that_cannot_be_read_says_neither_stored_nor_refused(fake, exchange, inner, said):
    fake.answered.append(odd("SendInvoice", inner))
    with pytest.raises(ExchangeError, match=said) as unreadable:
        exchange.send_invoice("a.pdf", b"%PDF-", message_id="m1")

    assert not isinstance(unreadable.value, ExchangeRefused)
    assert "safe to send the message again with the same messageId m1" in str(unreadable.value)


@pytest.mark.parametrize(("inner", "said"), NEITHER)
def test_an_answer_that_cannot_be_read_is_3_as_it_may_be_stored(fake, run, tmp_path, inner, said):
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-")
    fake.answered.append(odd("SendInvoice", inner))
    code, _, err = run("send-invoice", path, "--message-id", "m1")

    assert (code, said in err, "messageId m1" in err) == (3, True, True)


@pytest.mark.parametrize("damage", ["*", "é", "=", "A"])
def test_a_file_whose_base64_is_damaged_is_not_written(fake, run, tmp_path, damage):
    fake.records["2026-1"] = Document(b"")
    coded = base64.b64encode(b"content" * 30).decode()
    content = f"<content>{coded[:100]}{damage}{coded[100:]}</content>"
    inner = members() + fake.record_index("2026-1", "recordIndex") + content
    fake.answered.append(odd("GetRecord", inner))
    path = tmp_path / "record.zip"
    code, _, err = run("get-record", "2026-1", "--format", "zip", "--output", path)

    assert (code, "content is no base64" in err, path.exists()) == (3, True, False)


@pytest.mark.parametrize("work", ["poll", "extract"])
def test_more_without_a_new_cursor_is_not_asked_for_for_ever(fake, run, tmp_path, work):
    def more():
        return len(fake.received) < 9

    fake.answers["GetSignatureList"] = lambda _: (
        members() + f"<courses/><nextCursor>c</nextCursor><more>{str(more()).lower()}</more>"
    )
    fake.answers["GetRecordList"] = lambda _: (
        members() + "<records/><remaining>1</remaining>" + more() * "<nextCursor>c</nextCursor>"
    )
    arguments = {"poll": ("--state", tmp_path / "s.json", "--since", "2026-09-01"), "extract": (tmp_path,)}[work]
    code, _, err = run(work, *arguments)

    assert (code, "there is more, and no new cursor" in err, len(fake.received)) == (3, True, 2)


def test_base64_may_stand_in_lines(fake, exchange):
    fake.records["2026-1"] = Document(b"")
    coded = base64.encodebytes(b"content" * 30).decode()
    inner = members() + fake.record_index("2026-1", "recordIndex") + f"<content>\n{coded}</content>"
    fake.answered.append(odd("GetRecord", inner))

    assert exchange.get_record("2026-1").content == b"content" * 30


# --- files here ------------------------------------------------------------------------------------------------


STRANGE = ["{}", "[]", "5", "not JSON", '{"question": 1}', '{"upload": "x"}', '{"number": []}']


@pytest.mark.parametrize("content", STRANGE)
@pytest.mark.parametrize("work", ["upload", "poll", "extract"])
def test_a_state_file_that_is_something_else_is_2_and_stays_as_it_is(fake, run, tmp_path, content, work):
    file = tmp_path / "students.xml"
    item = "<student><reference>S1</reference><lastName>a</lastName><firstName>b</firstName></student>"
    file.write_text(f"<students xmlns='{NS}'>{item}</students>")
    state = tmp_path / ".paraphe-extract.json"
    state.write_text(content)
    arguments = {
        "upload": ("upload", "students", file, "--state", state),
        "poll": ("poll", "--state", state),
        "extract": ("extract", tmp_path),
    }[work]
    code, _, err = run(*arguments)

    assert (code, f"{state} is not a state file of this work" in err, fake.received) == (2, True, [])
    assert state.read_text() == content


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"trainees": 5}', "trainees must be a list"),
        ('{"trainees": "S1"}', "trainees must be a list"),
        ('{"trainees": [null]}', "InvoicedTrainee must be an object"),
        ('{"invoiceNumber": ["F-1"]}', 'invoiceNumber cannot be ["F-1"]'),
        ('{"invoiceNumber": {"a": 1.5}}', 'invoiceNumber cannot be {"a": "1.5"}'),
    ],
)
def test_elements_of_another_shape_are_2_and_not_sent(fake, run, tmp_path, content, said):
    path = tmp_path / "elements.json"
    path.write_text(content)
    code, _, err = run("send-invoicing-info", path)

    assert (code, said in err, fake.received) == (2, True, [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_elements_may_begin_with_a_byte_order_mark(fake, run, tmp_path, encoding):
    path = tmp_path / "elements.json"
    path.write_text('{"invoiceNumber": "Fé-1"}', encoding=encoding)

    assert run("send-invoicing-info", path)[0] == 0
    assert fake.received[0].body.findtext(f"{{{NS}}}invoice/{{{NS}}}invoiceNumber") == "Fé-1"


def test_elements_from_the_standard_input_may_begin_with_a_byte_order_mark(fake, command):
    done = subprocess.run(
        [sys.executable, "-m", "paraphe_client", "send-invoicing-info", "-"],
        input='{"invoiceNumber": "Fé-1"}'.encode("utf-8-sig"),
        env=command.environment,
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert fake.received[0].body.findtext(f"{{{NS}}}invoice/{{{NS}}}invoiceNumber") == "Fé-1"


def test_null_is_an_element_without_value():
    elements = from_plain(InvoicingElements, json.loads('{"invoiceNumber": null, "trainees": null, "payerName": "P"}'))

    assert elements == InvoicingElements(payer_name="P")
