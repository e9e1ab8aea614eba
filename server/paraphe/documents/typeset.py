"""Templates and facts to PDF/A, by Typst.

The templates are those of the house; a file of the same name in the operator's folder stands in for it, `words.toml`
there replaces single words, and `fonts/` there adds fonts. Facts reach a template as JSON in `sys.inputs`, never as
Typst source, so no name and no title can be a command.
"""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from ..apart import Limits, Stopped, ask
from .glyphs import coverage, printable

_TEMPLATES = Path(str(files("paraphe.documents") / "templates"))
_FONTS = Path(str(files("paraphe.documents") / "fonts"))
_FONT_FILES = {".ttf", ".otf"}
_WORDS, _MAIN = "words.toml", "main.typ"
# Measured: 7000 half-days with their signatures take 30 s and 1.4 GB; a year of a class has a third of that.
_LIMITS = Limits(seconds=120.0, processor_seconds=60, megabytes=1500)


class BrokenTemplate(Exception):  # noqa: N818
    """A template cannot be made into a paper: `file` (as the operator knows it), `line` if known, the reason."""

    def __init__(self, file: str, line: int | None, sentence: str) -> None:
        super().__init__(f"{file}{f', line {line}' if line else ''}: {sentence}")
        self.file, self.line, self.sentence = file, line, sentence


class TooLong(Exception):  # noqa: N818
    """A paper is so long that to set it takes more time or memory than it may."""


@dataclass(frozen=True, slots=True)
class Fonts:
    """Folders with fonts for Typst, and the code points that one of them has a shape for."""

    folders: tuple[str, ...]
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
    folders = tuple(sorted({str(path.parent) for path in paths}))
    return Fonts(folders, tuple(_loaded(folders).families()), frozenset(known))


def _loaded(folders: Sequence[str]) -> typst.Fonts:
    """Return the fonts of some folders; those that come with Typst if there is none."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=not folders, font_paths=list(folders))


def typeset(
    name: str,
    templates: Templates,
    said: Mapping[str, Any],
    pictures: Mapping[str, str],
    created_on: datetime,
) -> bytes:
    """Return the paper of the template `name` as PDF/A-3b, tagged.

    `said` is what the template may print. Characters that no font has are printed as a sign of replacement, and the
    template is told which (`missing`). BrokenTemplate if Typst cannot make a paper of it, TooLong.
    """
    missing: set[str] = set()
    shown = printable(dict(said), templates.fonts.known, missing)
    shown["words"] = templates.words
    shown["fonts"] = templates.fonts.families
    shown["missing"] = sorted(f"U+{ord(character):04X}" for character in missing)
    shown["pictures"] = dict(pictures)
    facts = json.dumps(shown, ensure_ascii=False)
    sources = templates.sources | {_MAIN: f'#include "{name}.typ"'.encode()}
    try:
        return _set(sources, facts, created_on, "a-3b", templates.root, templates.fonts.folders)
    except BrokenTemplate as broken:
        # What has no place of its own was found in the paper as a whole.
        raise broken if broken.file != _MAIN else BrokenTemplate(f"{name}.typ", None, broken.sentence) from None


def picture(template: bytes, said: Mapping[str, Any], created_on: datetime, root: Path = _TEMPLATES) -> bytes:
    """Return a picture as a PDF of one page, PDF/A-2b, by a template of the house with the fonts of Typst.

    `root` is the folder that the template may read of. BrokenTemplate if it cannot be made.
    """
    return _set({_MAIN: template}, json.dumps(said, ensure_ascii=False), created_on, "a-2b", root, ())


# In a process of its own ---------------------------------------------------------------------------------------


def _set(
    sources: Mapping[str, bytes], facts: str, created_on: datetime, standard: str, root: Path, fonts: Sequence[str]
) -> bytes:
    """Have main.typ set. Typst is a library without limits, and what it takes for a long paper it keeps."""
    said = {"names": list(sources), "created_on": created_on.isoformat(), "standard": standard}
    said |= {"root": str(root), "fonts": list(fonts)}
    try:
        told, made = ask(__name__, said, facts.encode(), *sources.values(), limits=_LIMITS)
    except Stopped:
        raise TooLong from None
    if "broken" in told:
        raise BrokenTemplate(*told["broken"])
    return made[0]


def answer(said: Mapping[str, Any], facts: bytes, *sources: bytes) -> tuple[Any, ...]:
    """Set main.typ, or say what is wrong with it."""
    moment = datetime.fromisoformat(said["created_on"]).replace(microsecond=0)  # Typst refuses parts of a second
    # Files in memory: typst 0.15 takes them as a dict, but its types do not say so.
    files: Any = dict(zip(said["names"], sources, strict=True))
    try:
        compiler = typst.Compiler(files, root=said["root"], font_paths=_loaded(said["fonts"]))
        made: Any = compiler.compile(
            format="pdf",
            sys_inputs={"facts": facts.decode()},
            pdf_standards=[said["standard"]],
            timestamp=moment.astimezone(timezone(moment.utcoffset() or timedelta())),
        )
    except typst.TypstError as error:
        return ({"broken": _explained(error)},)
    return {}, bytes(made)


def _explained(error: typst.TypstError) -> tuple[str, int | None, str]:
    place = re.search(r"┌─ (?:\S*/)?(\S+?):(\d+):\d+", error.diagnostic)
    sentence = "; ".join([error.message, *error.hints])
    return (place[1] if place else _MAIN), (int(place[2]) if place else None), f"{sentence}."
