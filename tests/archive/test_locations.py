"""How the place of an archive is named, and which names are refused."""

import pytest

from paraphe.archive import open_archive

from .stores import CONTENT, PLACE


@pytest.mark.parametrize("form", ["{}", "file://{}", "file://localhost{}"])
def test_a_folder_is_named_by_path_or_url(tmp_path, form):
    place = str(tmp_path / "my store")

    open_archive(form.format(place.replace(" ", "%20") if "file" in form else place)).keep(CONTENT)

    assert (tmp_path / "my store" / PLACE).read_bytes() == CONTENT


def test_a_relative_folder_stays_where_it_was_when_the_archive_was_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = open_archive("store")

    monkeypatch.chdir("/")
    archive.keep(CONTENT)

    assert (tmp_path / "store" / PLACE).exists()


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("", "empty"),
        ("https://example.org/store", "cannot be at a https: URL"),
        ("gs://bucket/prefix", "cannot be at a gs: URL"),
        ("file:store", "file:///an/absolute/folder"),
        ("file://elsewhere/store", "file:///an/absolute/folder"),
        ("s3:bucket", "s3://bucket/prefix"),
        ("s3:///prefix", "s3://bucket/prefix"),
        ("s3://bucket:9000/", "s3://bucket/prefix"),
        ("s3://bucket/a//b", "see its prefix"),
        ("s3://bucket/a/../b", "see its prefix"),
        ("s3://bucket?endpont=https://s3.example.org", "mean nothing here: endpont"),
        ("s3://bucket?allow_http=maybe", "true or false"),
        ("s3://bucket?endpoint=http://s3.example.org", "plain http"),
        ("s3://bucket?endpoint=s3.example.org", "https://host"),
        ("s3://bucket?endpoint=https://s3.example.org:99999", "https://host"),
        ("s3://bucket?endpoint=https://[1:2:3]", "https://host"),
        ("s3://bucket?endpoint=https://é.example.org", "https://host"),
    ],
)
def test_any_other_location_is_refused_in_a_sentence(location, sentence):
    with pytest.raises(ValueError, match=sentence):
        open_archive(location)


@pytest.mark.parametrize(
    "location",
    ["s3://key:s3cr3t@bucket", "s3://bucket?secret_access_key=s3cr3t", "s3://bucket?endpoint=https://k:s3cr3t@h"],
)
def test_a_secret_in_the_url_is_refused_and_not_repeated(location):
    with pytest.raises(ValueError, match="archive") as refusal:
        open_archive(location)

    assert "s3cr3t" not in str(refusal.value)
