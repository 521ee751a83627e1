"""One sample's story in words, in the order in which it happened."""

from collections.abc import Iterator, Mapping
from typing import Any

Told = Mapping[str, Any]


def story(told: Told) -> Iterator[str]:
    """Yield the lines of what `curate.erase.explain` told."""
    yield f"sample {told['key']} of {told['run']}"
    for listed in told["listed"]:
        row = "" if listed["row"] is None else f" row {listed['row']}"
        failed = f", unusable: {listed['failed']}" if listed["failed"] else ""
        yield f"listed in partition {listed['partition']}{row}{failed}; raw copy: {listed['raw']}"
    yield from map(_score, told["scores"])
    yield from map(_event, told["events"])
    yield from _duplicates(told["duplicates"])
    yield from _place(told)
    yield from _erased(told["erased"])


def _event(event: Told) -> str:
    told = [f"{event['stage']}: {event['event']}"]
    told += [str(event["reason"])] if event["reason"] else []
    told += [f"score {event['score']:.4g}"] if event["score"] is not None else []
    told += [f"{name} {event[name]}" for name in ("detector", "place", "action", "match") if event.get(name)]
    return ", ".join(told)


def _score(score: Told) -> str:
    values = ", ".join(f"{name} {_short(value)}" for name, value in score["values"].items())
    failed = f" (failed: {score['failed']})" if score["failed"] else ""
    return f"{score['stage']} measured {values}{failed}"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _duplicates(told: Told) -> Iterator[str]:
    for one in told["survivors"]:
        yield f"copy of {one['survivor']}, which stayed in its place ({one['stage']})"
    if not told["known"]:
        yield "copies: not known here, for work/reduce is gone"
    elif told["copies"]:
        yield f"copies of it: {', '.join(told['copies'])}"


def _place(told: Told) -> Iterator[str]:
    shard = told["shard"]
    if shard is None:
        yield "in no shard"
        return
    yield f"in shards/{shard['name']} row {shard['row']}, version {shard['version'][:16]}"
    for member in shard["members"]:
        yield f"  {member['extension']}: {member['bytes']:,} bytes at {member['offset']:,}"
    for features in told["features"]:
        missing = f": none, {features['missing']}" if features["missing"] else ""
        yield f"features {features['fingerprint']}{missing}"


def _erased(told: Told | None) -> Iterator[str]:
    if told is None:
        yield "not erased"
        return
    yield f"erased at {told['at']} by request {told['request']}, met by its {told['selector']}"
    for one in told["rewritten"]:
        yield f"removed at {one['at']}, in version {one['to_version'][:16]}"
    if not told["rewritten"]:
        yield "hidden from readers; still in the files until curate rewrite"
    for checkpoint in told["seen_by"]:
        yield f"seen by {checkpoint}"
