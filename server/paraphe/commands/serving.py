"""Serving: serve, demo."""

import argparse
import os

from .. import accounts, settings, store
from ..serve import beside, serve
from ..settings import OPTIONS
from .house import opened, settings_of
from .line import Commands, complain


def add_to(commands: Commands) -> None:
    """Add the commands of this module."""
    for name, run in (("serve", _serve), ("demo", _demo)):
        commands.add(name, run, *(option.name for option in OPTIONS), as_json=False)


def _serve(asked: argparse.Namespace) -> None:
    """Serve until SIGTERM or Ctrl-C; running requests are finished first."""
    from ..app import Watched, application
    from ..operations import JOBS
    from ..work.workers import Workers

    for name in settings.unknown_variables(os.environ):
        complain(f"The environment variable {name} is no setting and is ignored.")
    with opened(asked) as house:
        house.archive.check()
        watched = Watched.of(house.engine, house.archive)
        with (
            store.Later(house.engine) as later,
            beside(watched.application, house.settings),
            Workers(JOBS, house.settings.job_threads) as workers,
        ):
            serve(
                lambda bound: application(house.engine, house.archive, bound, later, watched, workers),
                house.settings,
                watched.health.stop,
            )


def _demo(asked: argparse.Namespace) -> None:
    """Serve a school that does not exist, to try things out."""
    from .. import demo

    try:
        demo.run(settings_of(asked))
    except demo.ClientMissing as missing:
        raise accounts.Impossible(str(missing)) from missing
