"""Serving: serve, demo."""

import argparse
import os
import sys

from .. import accounts, settings, store
from ..metrics import ALONE, Shared
from ..serve import Parent, Plan, Post, announce, beside, serve
from ..settings import OPTIONS, Settings
from .house import ensure_templates, opened_with, settings_of
from .line import Commands, complain

# -P: a folder called paraphe in the current one is not the program.
_WORKER = (sys.executable, "-P", "-m", f"{__package__}.worker")


def add_to(commands: Commands) -> None:
    """Add the commands of this module."""
    for name, run in (("serve", _serve), ("demo", _demo)):
        commands.add(name, run, *(option.name for option in OPTIONS), as_json=False)


def _serve(asked: argparse.Namespace) -> None:
    """Serve until SIGTERM or Ctrl-C; running requests are finished first."""
    for name in settings.unknown_variables(os.environ):
        complain(f"The environment variable {name} is no setting and is ignored.")
    read = settings_of(asked)
    if read.processes == 1:
        serve_here(read)
    else:
        Parent(_WORKER, lambda: _plan(asked)).run()


def _plan(asked: argparse.Namespace) -> Plan:
    given, _ = settings.gather(vars(asked), os.environ)
    return Plan(settings_of(asked), {name: text for name, (text, _) in given.items()})


def serve_here(read: Settings, post: Post | None = None) -> None:
    """Serve in this process; `post` is that of a worker, which shares addresses and metrics with others."""
    from ..app import Watched, application
    from ..work.handlers import jobs_here
    from ..work.workers import Workers

    order = post and post.order
    shared = Shared(order.counted, order.process, order.processes, order.since) if order else ALONE
    with opened_with(read) as house:
        house.archive.check()
        ensure_templates(read)
        watched = Watched.of(house.engine, house.archive, shared)
        watching = post.sockets(post.order.watching) if post else ()
        with (
            store.Later(house.engine) as later,
            beside(watched.application, read, watching) as watched_at,
            Workers(jobs_here(), read.job_threads) as workers,
        ):

            def stopping() -> None:
                watched.health.stop()
                workers.no_more()

            serve(
                lambda bound: application(house.engine, house.archive, bound, later, watched, workers),
                read,
                stopping,
                sockets=post.sockets(post.order.listening) if post else (),
                balance=post.balance if post else None,
                begin=lambda server: post.serving(server, watched_at) if post else announce(server.settings),
            )


def _demo(asked: argparse.Namespace) -> None:
    """Serve a school that does not exist, to try things out."""
    from .. import demo

    try:
        demo.run(settings_of(asked))
    except demo.ClientMissing as missing:
        raise accounts.Impossible(str(missing)) from missing
