"""Real pages in several languages: LibreOffice's help (MPL-2.0) and Debian's installation guide (GPL-2+).

Help pages in American and British English, and the guides for two kinds of machine, are natural near-duplicates.
"""

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from curate.demo.debian import Package, Say, download, find, unpack
from curate.errors import InputError

DEBIAN, SPACY = "Debian", "spaCy's wheel"
HELP = {"en-us": "en", "en-gb": "en", "de": "de", "es": "es", "fr": "fr", "ja": "ja", "ru": "ru"}
"""Language by the end of the package's name."""
GUIDES = ("amd64", "i386")
GUIDE_LANGUAGES = {"de": "de", "en": "en", "fr": "fr", "it": "it", "ja": "ja", "ru": "ru", "zh_CN": "zh"}
"""Language by folder."""
_HELP_FOLDERS = ("shared/guide",)


@dataclass(frozen=True)
class Page:
    """A page as a web server would send it."""

    url: str
    language: str
    collection: str
    html: bytes


@dataclass(frozen=True)
class Pages:
    """What there is to work with."""

    help: tuple[Page, ...]
    guide: tuple[Page, ...]
    origin: str
    """`DEBIAN`, or `SPACY` where there is no apt."""


def collect(cache: Path, say: Say) -> Pages:
    """Return the pages, downloaded once.

    Raises:
        InputError: neither Debian's packages nor spaCy's wheel are here.
    """
    names = [*(f"libreoffice-help-{end}" for end in HELP), *(f"installation-guide-{kind}" for kind in GUIDES)]
    try:
        folders = {package.name: _unpacked(cache, package, say) for package in find(names, say)}
    except InputError as error:
        say(f"NOT AVAILABLE: pages of Debian's packages: {error}")
        say("making do with the example sentences that spaCy's wheel carries in some sixty languages")
        return _sentences()
    return Pages(tuple(_help(folders)), tuple(_guide(folders)), DEBIAN)


def _unpacked(cache: Path, package: Package, say: Say) -> Path:
    """Unpack a package once; its last file is the mark that all are there."""
    folder = cache / f"{package.name}_{package.version.replace(':', '-')}"
    ready = folder / "ready"
    if not ready.exists():
        deb = download(package, folder, say)
        unpack(deb, folder, "usr/share", (".html",))
        deb.unlink()
        ready.touch()
    return folder


def _help(folders: dict[str, Path]) -> Iterator[Page]:
    for end, language in HELP.items():
        root = folders[f"libreoffice-help-{end}"] / "libreoffice" / "help"
        for file in sorted(path for folder in _HELP_FOLDERS for path in root.glob(f"*/text/{folder}/*.html")):
            url = f"https://help.libreoffice.org/{file.relative_to(root).as_posix()}"
            yield Page(url, language, f"libreoffice-help-{end}", file.read_bytes())


def _guide(folders: dict[str, Path]) -> Iterator[Page]:
    for kind in GUIDES:
        root = folders[f"installation-guide-{kind}"] / "doc" / f"installation-guide-{kind}"
        for folder, language in GUIDE_LANGUAGES.items():
            for file in sorted((root / folder).glob("*.html")):
                url = f"https://www.debian.org/releases/stable/{kind}/{folder}/{file.name}"
                yield Page(url, language, f"installation-guide-{kind}", file.read_bytes())


def _sentences() -> Pages:
    """Make a page a language of spaCy's example sentences.

    Raises:
        InputError: spaCy is not installed.
    """
    found = importlib.util.find_spec("spacy")
    if found is None or found.origin is None:
        raise InputError("neither apt nor spaCy is here: pip install 'curate-multimodal[filters]'")
    made = []
    for file in sorted((Path(found.origin).parent / "lang").glob("*/examples.py")):
        values = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Assign)]
        sentences = [s for value in values if isinstance(value, ast.List) for s in ast.literal_eval(value)]
        words = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
        language = file.parent.name
        html = f'<html lang="{language}"><head><meta charset="utf-8"></head><body><main>{words}</main></body></html>'
        made.append(Page(f"https://spacy.io/lang/{language}", language, "spacy-examples", html.encode()))
    return Pages(tuple(made), tuple(made[::-1]), SPACY)
