"""What tests of the queue stand on: somewhere to work, and something to do."""

import pytest

from paraphe.work import filing, jobs
from paraphe.work.jobs import Kind
from paraphe.work.workers import Workplace

from .cast import INVOICE, NOW, caller


@pytest.fixture
def workplace(engine, archive, addresses):
    return Workplace(engine, archive, addresses, lambda: NOW)


@pytest.fixture
def asked(engine, context):
    """Give `asked()`: a record for which something is to be done; returns its id."""
    call = caller(engine, context)

    def work(context, _):
        record_id = filing.create(context, INVOICE, "READY").record_id
        jobs.enqueue(context, Kind.RECOGNISE, record_id)
        return record_id

    return lambda: call(work)
