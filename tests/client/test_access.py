"""Where the command finds the address and the credentials, and where they do not go."""

import io
import traceback

import pytest

from paraphe_client.__main__ import main
from paraphe_client.access import NoAccess, find_access

from .fake import Document


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    """No variable and no file at home."""
    for name in ("PARAPHE_URL", "PARAPHE_API_USER", "PARAPHE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


def test_credentials_come_from_options_then_the_environment_then_the_file(monkeypatch, tmp_path):
    config = tmp_path / "client.ini"
    config.write_text("[exchange]\nurl = http://file\nuser = u-file\nkey = k%file\n")
    monkeypatch.setenv("PARAPHE_API_USER", "u-environment")
    monkeypatch.delenv("PARAPHE_URL", raising=False)
    monkeypatch.delenv("PARAPHE_API_KEY", raising=False)
    access = find_access({"url": "http://option", "user": None, "key": None}, config)

    assert (access.url, access.user, access.key) == ("http://option", "u-environment", "k%file")
    assert "k%file" not in repr(access)


def test_the_file_is_found_at_home_and_what_is_missing_is_named(monkeypatch, tmp_path):
    for name in ("PARAPHE_URL", "PARAPHE_API_USER", "PARAPHE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".config").mkdir()
    (tmp_path / ".config" / "paraphe-client.ini").write_text("[exchange]\nurl = http://x\nuser = u\n")
    with pytest.raises(NoAccess, match="The key is missing: give --key, set PARAPHE_API_KEY"):
        find_access({})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"url = http://x\nuser = u\nkey = s3cret\n", "is not an INI file (line 1)"),
        (b"[exchange]\nurl = http://x\nkey s3cret\n", "is not an INI file (line 3)"),
        (b"[exchange]\nurl = http://x\nkey = s3cret\nkey = s3cret\n", "is not an INI file (line 4)"),
        (b"[exchange]\nkey = s3cret\n[exchange]\nkey = s3cret\n", "is not an INI file (line 3)"),
        (b"[exchange]\nurl = http://x\nuser = \xe9cole\nkey = s3cret\n", "is not UTF-8"),
        ("[exchange]\nurl = http://x\nkey = s3cret\n".encode("utf-16"), "is not UTF-8"),
    ],
)
def test_a_file_that_is_not_quite_right_is_told_without_its_text(tmp_path, capsys, content, said):
    config = tmp_path / "client.ini"
    config.write_bytes(content)

    assert main(["check-connection", "--config", str(config)]) == 2
    shown = "".join(capsys.readouterr())
    assert said in shown
    with pytest.raises(NoAccess) as unusable:
        find_access({}, config)
    assert "s3cret" not in shown + "".join(traceback.format_exception(unusable.value))


def test_a_file_with_a_byte_order_mark_is_read(tmp_path):
    config = tmp_path / "client.ini"
    config.write_text("[exchange]\nurl = http://x\nuser = u\nkey = k\n", encoding="utf-8-sig")

    assert find_access({}, config).key == "k"


def test_a_file_that_cannot_be_opened_is_told(tmp_path, monkeypatch):
    config = tmp_path / "client.ini"
    config.touch()

    def deny(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_text", deny)
    with pytest.raises(NoAccess, match="cannot be read: Permission denied"):
        find_access({}, config)


@pytest.mark.parametrize("redirected", [False, True])
def test_the_address_of_a_document_gets_no_credentials_of_the_machine(
    fake, exchange, monkeypatch, tmp_path, redirected
):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    fake.records["2026-1"] = Document(b"x")
    if redirected:
        fake.download.append(lambda handler: handler.answer(302, b"", {"Location": handler.path}) or True)
    exchange.download(f"{fake.url}/records/2026-1.zip", io.BytesIO())

    assert [headers.get("Authorization") for headers in fake.downloads] == [None] * (1 + redirected)
