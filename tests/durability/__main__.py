"""Kill servers under a load of mixed writes and see whether anything is lost: `python -m tests.durability`."""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from . import places
from .figures import Figures
from .rounds import Scenario, play

KILLS = 1000
_ROUND = 25
"""Kills over one database: enough to pile up what was never answered, few enough to be judged in a moment."""

_SHORT = 28
"""Kills that fit into CI, four in each scenario."""

#: With how many parts of all kills each scenario gets.
SCENARIOS = {
    Scenario("sqlite, one server", 1, places.sqlite): 2,
    Scenario("sqlite, two servers on one file", 2, places.sqlite): 2,
    Scenario("postgresql, two servers", 2, places.postgresql): 3,
    Scenario("postgresql restarted", 2, places.restarted_postgresql, mishaps=40): 1,
    Scenario("disk full", 1, places.full_disk, mishaps=60): 1,
    Scenario("store full", 1, places.full_store, mishaps=60): 1,
    Scenario("bucket refuses", 1, places.refusing_bucket, mishaps=60): 1,
}


def run(asked: argparse.Namespace) -> bool:
    """Play rounds until there were as many kills as asked for; return whether every promise was kept."""
    chosen = {
        scenario: 1 if asked.short else share
        for scenario, share in SCENARIOS.items()
        if asked.database in (None, "postgresql" if "postgresql" in scenario.name else "sqlite")
        and (asked.scenario or "") in scenario.name
    }
    figures, began = Figures(asked.seed), time.monotonic()
    try:
        for scenario, share in chosen.items():
            kills = max(1, round(asked.kills * share / sum(chosen.values())))
            while (left := kills - figures.kills(scenario.name)) > 0:
                if not _play(scenario, min(left, _ROUND), figures):
                    break
    except KeyboardInterrupt:
        print("Broken off: these are the rounds that had come to their end.")
    print(figures.table())
    print(f"\n{time.monotonic() - began:.0f} s, seed {asked.seed}")
    return figures.kept


def _play(scenario: Scenario, kills: int, figures: Figures) -> bool:
    """Play a round; False if this machine cannot."""
    # Not below a folder of pytest or of a user: as root, PostgreSQL runs under another user, who may not enter those.
    folder = Path(tempfile.mkdtemp(prefix="paraphe-durability-"))
    seed = f"{figures.seed}/{scenario.name}/{figures.rounds(scenario.name) + 1}"
    try:
        round_ = play(scenario, kills, seed, folder)
    except places.Impossible as impossible:
        figures.skip(scenario.name, str(impossible))
        shutil.rmtree(folder, ignore_errors=True)
        return False
    figures.add(scenario.name, round_)
    if round_.findings:
        print(f"The diary and the logs of the round {seed} are in {folder}.", flush=True)
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.durability", description=__doc__)
    parser.add_argument("--kills", type=int, default=KILLS, help=f"how many in all scenarios (default {KILLS})")
    parser.add_argument("--seed", type=int, default=1, help="what is sent and when is killed (default 1)")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], help="scenarios on one of them only")
    parser.add_argument("--scenario", help="scenarios whose name has these words only")
    parser.add_argument("--short", action="store_true", help=f"{_SHORT} kills, some in every scenario")
    asked = parser.parse_args()
    if asked.short:
        asked.kills = _SHORT
    return asked


if __name__ == "__main__":
    sys.exit(0 if run(_arguments()) else 1)
