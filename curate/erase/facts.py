"""What a run holds of each sample that somebody could be named by: addresses, texts and pictures, wherever they lie."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from curate.ledger import part_name
from curate.run.ingest import FOLDER as SOURCE
from curate.run.layout import Run
from curate.run.parts import read_table
from curate.shards import Manifest
from curate.shards.shard import open_shard
from curate.storage import Folder

_BOOKKEEPING = frozenset(
    {"key", "row", "_failed", "_dropped", "_findings", "sha256", "audio_sha256", "image_format", "audio_format"}
)
_WORDS = ("caption", "captions", "text", "transcript", "conversations")
"""Fields of a sample's json in which somebody may be named; the others are addresses, labels and measurements."""
_ADDRESSES = ("url", "audio_url")
_TOGETHER = 16
"""Pictures looked at in one go."""


class Report(Protocol):
    """Who is told how far a search is."""

    def __call__(self, event: dict[str, Any], /) -> None:
        """Take an event."""


@dataclass(frozen=True)
class Facts:
    """Of one sample, from one place."""

    key: str
    urls: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    pictures: tuple[bytes, ...] = ()


def in_shards(run: Folder, pictures: frozenset[str], report: Report) -> Iterator[Facts]:
    """Yield what the published shards hold, erased samples included; of pictures those with these extensions.

    Raises:
        IntegrityError: a shard is not what the manifest says.
    """
    if not run.exists("manifest.json"):
        return
    manifest = Manifest.load(run)
    done = 0
    for number, entry in enumerate(manifest.shards):
        report({"event": "searched", "where": f"shards/{entry.name}", "samples": done, "of": manifest.samples})
        shard = open_shard(run / "shards", manifest.shards, number)
        for row in range(entry.samples):
            members = shard.read(row)
            seen = tuple(data for name, data in members.items() if name.rpartition(".")[2] in pictures)
            url, texts = _told(members)
            yield Facts(str(shard.index.keys[row]), url, texts, seen)
        done += entry.samples


def _told(members: dict[str, bytes]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the addresses and the texts of a sample's members."""
    texts = [members["txt"].decode("utf-8", "replace")] if "txt" in members else []
    facts: Any = json.loads(members["json"]) if "json" in members else {}
    if not isinstance(facts, dict):
        return (), (*texts, *_strings(facts))
    words = (said for name in _WORDS for said in _strings(facts.get(name)))
    return _addresses(facts), (*texts, *words)


def _addresses(facts: dict[str, Any]) -> tuple[str, ...]:
    return tuple(url for name in _ADDRESSES if isinstance(url := facts.get(name), str))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)


def in_work(run: Run, report: Report, *, pictures: bool) -> Iterator[Facts]:
    """Yield what `work` holds: the list as it came, what edits wrote, and pictures as fetched."""
    partitions = sum(name.endswith(".parquet") for name in run.work.names(SOURCE))
    stores = [store for _, store in work_stores(run)]
    for partition in range(partitions):
        report({"event": "searched", "where": "work", "partitions": partition, "of": partitions})
        for store in stores:
            for name in part_files(store, partition):
                yield from _rows(read_table(store, name), pictures=pictures)


def work_stores(run: Run) -> Iterator[tuple[str, Folder]]:
    """Yield each folder of `work` that has a table a partition with a sample's own columns, after its name."""
    yield SOURCE, run.work / SOURCE
    for kind in ("edits", "samples"):
        for name in run.work.names(kind):
            yield f"{kind}/{name}", run.work / kind / name


def part_files(store: Folder, partition: int) -> list[str]:
    """Return a partition's files in a store: none, or one."""
    names = (f"{part_name(partition)}.{kind}" for kind in ("parquet", "arrow"))
    return [name for name in names if store.exists(name)]


def _rows(table: pa.Table, *, pictures: bool) -> Iterator[Facts]:
    fields = [f for f in table.schema if f.name not in _BOOKKEEPING]
    words = [f.name for f in fields if _has_words(f.type)]
    seen = [f.name for f in fields if f.name == "image" and pictures and pa.types.is_large_binary(f.type)]
    if not words and not seen:
        return
    keys = table["key"].to_pylist()
    for start in range(0, len(keys), _TOGETHER):
        here = table.slice(start, _TOGETHER).select([*words, *seen]).to_pylist()
        for key, row in zip(keys[start : start + _TOGETHER], here, strict=True):
            media = tuple(data for name in seen if (data := row.pop(name)) is not None)
            texts = {name: value for name, value in row.items() if name not in _ADDRESSES}
            yield Facts(key, _addresses(row), tuple(_strings(texts)), media)


def _has_words(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _has_words(kind.value_type)
    if pa.types.is_struct(kind):
        return any(_has_words(field.type) for field in kind)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
