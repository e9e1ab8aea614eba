"""What a server has not loaded as long as nobody asks for it: memory that a small machine has better use for."""

import subprocess
import sys

import pytest

#: What papers and seals are made with, invoices are read with, databases are upgraded with, and what speaks S3.
ASKED_FOR = ("pyhanko", "aiohttp", "cryptography", "typst", "segno", "pypdf", "alembic", "obstore")

_LOADED = """
import sys
from paraphe import cli, settings
from paraphe.commands import house, serving
from paraphe.commands.installation import migrations
import paraphe.app
from paraphe.work.handlers import jobs_here
from paraphe.work.workers import Workers
with house.opened_with(settings.read({"database": sys.argv[1], "store": sys.argv[2]})) as house:
    paraphe.app.application(house.engine, house.archive, house.settings, workers=Workers(jobs_here(), 0))
print(*sys.modules)
"""


@pytest.fixture
def loaded(tmp_path):
    """The modules that a server has loaded when it is about to take its first message."""
    database, archive = f"sqlite:///{tmp_path / 'p.sqlite'}", str(tmp_path / "documents")
    init = [sys.executable, "-m", "paraphe", "init", "--database", database, "--store", archive]
    subprocess.run(init, check=True, capture_output=True)
    done = subprocess.run(
        [sys.executable, "-c", _LOADED, database, archive], check=True, capture_output=True, text=True
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_a_server_loads_what_papers_seals_readings_upgrades_and_buckets_take_when_they_are_asked_for(loaded):
    assert {"paraphe", "spyne", "lxml", "sqlalchemy"} <= loaded
    assert loaded.isdisjoint(ASKED_FOR)
