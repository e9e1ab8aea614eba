"""Make the invoices of layouts that no rule was written for: python -m tests.reading.unseen FOLDER first|second."""

import json
import sys
from pathlib import Path

from . import first, second, third

_HALVES = {"first": first.LAYOUTS, "second": second.LAYOUTS, "third": third.LAYOUTS}


def _main(folder: Path, half: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for layout in _HALVES[half]:
        for variant in range(4 if half == "third" else 5):
            content, case = layout(variant)
            name = f"{case.layout}_{layout.__name__}_{variant}"
            (folder / f"{name}.pdf").write_bytes(content)
            truth = case.truth() | {"file": f"{name}.pdf"}
            (folder / f"{name}.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])
