"""Templates and facts to PDF/A, by Typst.

The templates are those of the house; a file of the same name in the operator's folder stands in for it, `words.toml`
there replaces single words, and `fonts/` there adds fonts. Facts reach a template as JSON in `sys.inputs`, never as
Typst source, so no name and no title can be a command.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from .glyphs import coverage, printable

_TEMPLATES = Path(str(files("paraphe.documents") / "templates"))
_FONTS = Path(str(files("paraphe.documents") / "fonts"))
_FONT_FILES = {".ttf", ".otf"}
_WORDS = "words.toml"
# Typst 0.15 keeps what the last ten compilations worked out, about 25 times the size of their papers, and lets go of
# what was not used in ten more. A dozen statements of 1.7 MB held 730 MB; letting go after each holds 180 MB.
_REMEMBERED, _LARGE = 11, 500_000


class BrokenTemplate(Exception):  # noqa: N818
    """A template cannot be made into a paper: `file` (as the operator knows it), `line` if known, the reason."""

    def __init__(self, file: str, line: int | None, sentence: str) -> None:
        super().__init__(f"{file}{f', line {line}' if line else ''}: {sentence}")
        self.file, self.line, self.sentence = file, line, sentence


@dataclass(frozen=True, slots=True)
class Fonts:
    """Fonts for Typst, and the code points that one of them has a shape for."""

    typst: typst.Fonts
    families: tuple[str, ...]
    known: frozenset[int]


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates in force: sources by file name, words, fonts, and where pictures of the operator are."""

    sources: dict[str, bytes]
    words: dict[str, Any]
    fonts: Fonts
    root: Path


def templates_of(folder: Path | None) -> Templates:
    """Return the templates, with those of the operator's folder instead of ours.

    The folder is read at each call, so a change shows at once. BrokenTemplate if words or a font in it cannot be read.
    """
    sources, words = _ours()
    if folder is None:
        return Templates(sources, words, _fonts(()), _TEMPLATES)
    if not folder.is_dir():
        raise BrokenTemplate(str(folder), None, "There is no such folder.")
    own = {path.name: path.read_bytes() for path in sorted(folder.glob("*.typ"))}
    if (folder / _WORDS).exists():
        words = _merged(words, _read_words(folder / _WORDS))
    paths = sorted(path for path in folder.glob("fonts/*") if path.suffix.lower() in _FONT_FILES)
    return Templates(
        sources | own, words, _fonts(tuple((str(each), each.stat().st_mtime_ns) for each in paths)), folder
    )


@lru_cache(1)
def _ours() -> tuple[dict[str, bytes], dict[str, Any]]:
    sources = {path.name: path.read_bytes() for path in _TEMPLATES.glob("*.typ")}
    return sources, _read_words(_TEMPLATES / _WORDS)


def _read_words(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        line = re.search(r"at line (\d+)", str(error))
        raise BrokenTemplate(path.name, int(line[1]) if line else None, f"{error}.") from error


def _merged(words: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(words)
    for key, value in own.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged


@lru_cache(16)
def _fonts(own: tuple[tuple[str, int], ...]) -> Fonts:
    """Return our fonts and those at the paths; the times are there for the cache to notice a change."""
    paths = [*sorted(path for path in _FONTS.iterdir() if path.suffix in _FONT_FILES), *(Path(path) for path, _ in own)]
    known: set[int] = set()
    for path in paths:
        try:
            known |= coverage(path.read_bytes())
        except ValueError as error:
            raise BrokenTemplate(f"fonts/{path.name}", None, f"This is {error}.") from error
    folders = sorted({str(path.parent) for path in paths})
    loaded = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders)
    return Fonts(loaded, tuple(loaded.families()), frozenset(known))


def typeset(
    name: str,
    templates: Templates,
    said: Mapping[str, Any],
    pictures: Mapping[str, str],
    created_on: datetime,
) -> bytes:
    """Return the paper of the template `name` as PDF/A-3b, tagged.

    `said` is what the template may print. Characters that no font has are printed as a sign of replacement, and the
    template is told which (`missing`). BrokenTemplate if Typst cannot make a paper of it.
    """
    missing: set[str] = set()
    shown = printable(dict(said), templates.fonts.known, missing)
    shown["words"] = templates.words
    shown["fonts"] = templates.fonts.families
    shown["missing"] = sorted(f"U+{ord(character):04X}" for character in missing)
    shown["pictures"] = dict(pictures)
    moment = created_on.astimezone(timezone(created_on.utcoffset() or timedelta()))
    # Files in memory: typst 0.15 takes them as a dict, but its types do not say so.
    sources: Any = {**templates.sources, "main.typ": f'#include "{name}.typ"'.encode()}
    try:
        compiler = typst.Compiler(sources, root=str(templates.root), font_paths=templates.fonts.typst)
        made: Any = compiler.compile(
            format="pdf",
            sys_inputs={"facts": json.dumps(shown, ensure_ascii=False)},
            pdf_standards=["a-3b"],
            timestamp=moment,
        )
    except typst.TypstError as error:
        raise _explained(f"{name}.typ", error) from error
    if len(made) > _LARGE:
        _let_go()
    return bytes(made)


def _let_go() -> None:
    """Have Typst forget what it keeps of former papers: it does so after some compilations that do not need it."""
    compiler = typst.Compiler(font_paths=_fonts(()).typst)
    for _ in range(_REMEMBERED):
        compiler.compile(b"", format="svg")


def _explained(file: str, error: typst.TypstError) -> BrokenTemplate:
    place = re.search(r"┌─ (?:\S*/)?(\S+?):(\d+):\d+", error.diagnostic)
    sentence = "; ".join([error.message, *error.hints])
    return BrokenTemplate(place[1] if place else file, int(place[2]) if place else None, f"{sentence}.")
