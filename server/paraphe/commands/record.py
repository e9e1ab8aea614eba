"""Records, for an operator: record show, record review."""

import argparse
from pathlib import Path
from typing import Any

from .. import accounts, store
from ..work import history
from .house import opened
from .line import Commands, add_environment, environment_of, show


def add_to(whole: Commands) -> None:
    """Add the commands of this module."""
    commands = whole.group("record", "Show invoicing records, and settle those that wait for a review.")
    for name, run in (("show", _show), ("review", _review)):
        command = commands.add(name, run, "database", "store")
        command.add_argument("account", metavar="NAME_OR_USER", help="the account's name or its apiUser")
        command.add_argument("number", metavar="NUMBER", help="the record's number, for example 2026-000041")
        add_environment(command)
        if name == "review":
            command.add_argument(
                "--file",
                required=True,
                metavar="FILE",
                help="the invoicing elements as JSON, named as in the contract",
            )


def _show(asked: argparse.Namespace) -> None:
    """Show a record: where it stands, what it says, its documents, and who did what to it when."""
    with opened(asked) as house, store.reading(house.engine) as connection:
        account = accounts.find(connection, asked.account, environment_of(asked))
        found = history.of_record(connection, account, asked.number)
    lines = [f"Record {found['recordNumber']}, version {found['version']}: {found['status']}", ""]
    lines += [f"{name}: {value}" for name, value in found["invoice"].items() if name != "trainees"]
    lines += [f"trainee: {_trainee(each)}" for each in found["invoice"].get("trainees", ())]
    lines += ["", *(f"{each['documentType']}  {each['fileName']}  {each['sha256']}" for each in found["documents"])]
    lines += ["", *(f"{each['on']}  {each['event']}  by {each['by']}" for each in found["history"])]
    lines += [f"to do: {each['kind']} ({each['state']})" for each in found["jobs"]]
    show(asked, found, "\n".join(lines))


def _trainee(said: dict[str, Any]) -> str:
    names = ("reference", "lastName", "firstName", "quantity", "unit")
    return " ".join(said[name] for name in names if name in said)


def _review(asked: argparse.Namespace) -> None:
    """Settle a record that waits for a review, as ReviewRecord does."""
    from ..app import exchange_of
    from ..call import OK, Answer, Call
    from ..contract import operations
    from ..errors import Error, Refused
    from ..faces.rest.read import parse, read
    from ..operations import OPERATIONS

    said = parse(Path(asked.file).read_bytes())
    with opened(asked) as house, store.Later(house.engine) as later:
        with store.reading(house.engine) as connection:
            account = accounts.find(connection, asked.account, environment_of(asked))
        request = read({"recordNumber": asked.number, "invoice": said}, operations()["ReviewRecord"], account.time_zone)
        exchange = exchange_of(house.engine, house.archive, house.settings, later)
        call = Call(exchange, face="command", actor="operator", account=account, operation="ReviewRecord")
        answers: list[Answer] = []

        def keep(answer: Answer) -> bytes:
            answers.append(answer)
            return b""

        call.run(OPERATIONS["ReviewRecord"], request.values, keep)
    answer = answers[-1]
    if answer["return_code"] != OK:
        raise Refused.of(Error(**each) for each in answer["errors"])
    warnings = [f"{each['code']}: {each['message']}" for each in answer["warnings"]]
    index = answer["record_index"]
    value = {"recordNumber": asked.number, "status": index["status"], "warnings": warnings}
    show(asked, value, "\n".join([f"Record {asked.number} is settled: {index['status']}.", *warnings]))
