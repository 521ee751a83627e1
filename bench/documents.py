"""Real documents of many languages for measurements: the pages of two manuals that Debian carries, as plain text.

LibreOffice's help (MPL-2.0) in seven languages, and Debian's installation guide (GPL-2) in nineteen for each of three
machines. Pages of en-US and en-GB, and of one guide and the next, are natural near-duplicates. Downloaded by apt, read
once, kept as Parquet under ~/.cache/curate/bench/documents; `python -m bench.documents` does it and says what is there.
"""

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from curate.demo.debian import download, find, unpack

CACHE = Path("~/.cache/curate/bench/documents").expanduser()
STORED = CACHE / "documents-1.parquet"
HELP = ("de", "en-gb", "en-us", "es", "fr", "ru", "zh-cn")
GUIDES = ("amd64", "arm64", "i386")
COUNT = 20_000
SCHEMA = pa.schema(
    [
        ("document", pa.string()),  # package and path of the page
        ("collection", pa.string()),  # the package
        ("language", pa.string()),  # as the package's folders spell it: en-US, pt, zh_CN
        ("text", pa.string()),  # a paragraph, heading, list item or table cell a line
    ]
)
_BLOCKS = frozenset(
    {
        "address",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    }
)
_SILENT = frozenset({"aside", "footer", "head", "header", "nav", "noscript", "script", "style", "title"})
_VOID = frozenset({"base", "br", "col", "hr", "img", "input", "link", "meta"})
_NAVIGATION = frozenset({"navfooter", "navheader", "toc"})


def documents(count: int = COUNT) -> pa.Table:
    """Return a table of `SCHEMA`: `count` pages in an order that mixes packages and languages, the same everywhere.

    Raises:
        InputError: there is no apt here, or it does not have the packages.
        SystemExit: fewer pages than asked for.
    """
    if not STORED.exists():
        _store()
    table = pq.read_table(STORED)
    if count > len(table):
        raise SystemExit(f"{STORED} holds {len(table)} documents, {count} were asked for")
    return table.slice(0, count)


def plain_text(html: str) -> str:
    """Return the text of a page without its navigation: one line for each block and of `pre`, white space folded."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).split("\0"))
    return "\n".join(line for line in lines if line)


class _Reader(HTMLParser):
    """Collects what is shown; a NUL stands between blocks."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.pieces.append("\0")
        if tag not in _VOID:
            hidden = tag in _SILENT or dict(attrs).get("class") in _NAVIGATION
            self._open.append((tag, hidden or self._hidden()))

    def handle_endtag(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.pieces.append("\0")
        if any(name == tag for name, _ in self._open):
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self._hidden():
            printed = any(name == "pre" for name, _ in self._open)
            self.pieces.append(data.replace("\n", "\0") if printed else data.replace("\0", " "))

    def _hidden(self) -> bool:
        return bool(self._open) and self._open[-1][1]


def _store() -> None:
    """Read all pages of all packages, in the order of a hash of their names, and keep those that say something."""
    roots = {f"libreoffice-help-{name}": "usr/share/libreoffice/help" for name in HELP}
    roots |= {f"installation-guide-{name}": f"usr/share/doc/installation-guide-{name}" for name in GUIDES}
    rows = []
    for package in find(roots, print):
        rows += _pages(download(package, CACHE / "debs", print), package.name, roots[package.name])
    rows.sort(key=lambda row: hashlib.sha256(row["document"].encode()).digest())
    new = STORED.with_suffix(".new")
    pq.write_table(pa.Table.from_pylist([row for row in rows if row["text"]], schema=SCHEMA), new, compression="zstd")
    new.rename(STORED)
    shutil.rmtree(CACHE / "debs")


def _pages(deb: Path, package: str, root: str) -> Iterator[dict[str, str]]:
    """Read the pages below a folder of a package, in which every language has a folder."""
    folder = deb.with_suffix("")
    unpack(deb, folder, root, (".html",))
    for page in sorted(folder.rglob("*.html")):
        place = page.relative_to(folder)
        text = plain_text(page.read_text("utf-8", "replace"))
        yield {"document": f"{package}/{place}", "collection": package, "language": place.parts[0], "text": text}
    shutil.rmtree(folder)


if __name__ == "__main__":
    everything = documents()
    size = sum(len(text.encode()) for text in everything["text"].to_pylist())
    print(f"{len(everything)} documents, {size / 1e6:.1f} MB of text")
    for language, found in Counter(everything["language"].to_pylist()).most_common():
        print(f"{found:6}  {language}")
