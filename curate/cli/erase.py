"""Erasing from the command line: what is printed of it."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curate.erase import (
    Asked,
    Forgotten,
    Selector,
    explain,
    finish_rewrite,
    forget,
    keys_of_url,
    read_selectors,
    rewrite,
    selector,
)
from curate.erase.certificate import load
from curate.errors import InputError
from curate.run.layout import Run

EVERY_S = 2.0
"""Between two lines of progress."""
_FATES = {"kept": "published", "dropped": "dropped before", "failed": "failed before", None: "not yet judged"}


def opened(url: str, work: str | None = None) -> Run:
    """Return a run, after finishing a rewrite of it that was stopped in the middle."""
    run = Run.at(url, work)
    if finish_rewrite(run, _Lines()):
        print(f"{url}: a rewrite had been stopped; it is finished", file=sys.stderr)
    return run


def run_forget(
    url: str,
    named: Mapping[str, Sequence[str]],
    lists: Sequence[str],
    how: Mapping[str, Any],
    *,
    dry_run: bool,
    as_json: bool,
) -> bool:  # fmt: skip
    """Put up tombstones and print what they hide; return whether everything that was asked for was met.

    Raises:
        InputError: nothing is asked for, or a selector cannot be used.
    """
    wanted = [selector(kind, value) for kind, values in named.items() for value in values]
    wanted += [found for path in lists for found in read_selectors(path)]
    if not wanted:
        raise InputError("say what to forget: --url, --domain, --key, --text, --image or --from")
    asked = Asked(tuple(dict.fromkeys(wanted)), **how)
    done = forget(opened(url), asked, _Lines(), dry_run=dry_run)
    if as_json:
        print(json.dumps(_forgotten(url, done, dry_run=dry_run)))
    else:
        print("\n".join(_told(url, done, dry_run=dry_run)))
    for missed in done.missed:
        print(f"curate: --{missed.kind} {missed.given}: meets no sample of {url}", file=sys.stderr)
    return not done.missed


def _forgotten(url: str, done: Forgotten, *, dry_run: bool) -> dict[str, Any]:
    """Return what `--json` prints. It names what missed by kind and position only in what is asked, not by value."""
    return {
        "run": url,
        "request": done.request,
        "dry_run": dry_run,
        "erased": {key: {"selector": kind, "fate": _fate(done, key), "shard": _shard(done, key)}
                   for key, kind in done.new.items()},
        "already": list(done.already),
        "known": len(done.known),
        "missed": [{"kind": s.kind, "value": s.given} for s in done.missed],
        "duplicates": {"followed": done.followed, "keys": list(done.mates)},
        "notes": list(done.notes),
    }  # fmt: skip


def _fate(done: Forgotten, key: str) -> str | None:
    fate = done.fates.get(key)
    return None if fate is None else fate.event


def _shard(done: Forgotten, key: str) -> str | None:
    place = done.places.get(key)
    return None if place is None else place.shard


def _told(url: str, done: Forgotten, *, dry_run: bool) -> Iterator[str]:
    if done.new:
        counts = Counter(_FATES[_fate(done, key)] for key in done.new)
        said = ", ".join(f"{n:,} {what}" for what, n in sorted(counts.items()))
        yield f"{'would erase' if dry_run else 'erased'} {len(done.new):,} samples ({said})"
        shards = Counter(shard for key in done.new if (shard := _shard(done, key)) is not None)
        yield from (f"  {name}: {n:,}" for name, n in sorted(shards.items()))
    if done.already or done.known:
        already = f"{len(done.already):,} samples" if done.already else f"{len(done.known):,} things asked for"
        yield f"already forgotten: {already}; nothing of them was changed"
    if not done.new and not done.already and not done.known:
        yield "nothing was erased"
    if done.mates:
        followed = "erased with them" if done.followed else "left; --with-duplicates erases them too"
        yield f"{len(done.mates):,} samples were judged copies of them: {followed}"
    yield from done.notes
    if done.request is not None:
        yield f"request {done.request}: readers hide them from now on; curate rewrite {url} removes them"


def run_rewrite(url: str, checkpoints: list[str], *, as_json: bool) -> None:
    """Rewrite and print the certificates that were completed."""
    run = opened(url)
    done = rewrite(run, checkpoints, _Lines())
    certificates = [load(run.folder, request) for request in done.requests]
    if as_json:
        print(json.dumps({"run": url, "version": done.version, "removed": done.keys, "shards": done.shards,
                          "certificates": certificates}))  # fmt: skip
        return
    if not done.requests:
        print(f"nothing to rewrite: all that was forgotten is gone. Version {done.version[:16]}")
    for content in filter(None, certificates):
        print("\n".join(_certificate(url, content)))


def _certificate(url: str, content: Mapping[str, Any]) -> Iterator[str]:
    last, seen = content["rewritten"][-1], content["checkpoints"]
    yield f"request {content['request']}: {len(last['keys']):,} samples removed at {last['at']}"
    for shard in last["shards"]:
        yield f"  {shard['old']} -> {shard['new'] or 'nothing left'}: {shard['removed']:,} samples fewer"
    yield f"  version {last['from_version'][:16]} -> {last['to_version'][:16]}"
    raw = last["raw"]
    yield f"  raw copies removed from {len(raw['partitions']):,} partitions, {len(raw['files']):,} tables"
    yield from (f"  not looked into: {name}" for name in raw["left_alone"])
    yield from _checkpoints(seen)
    yield f"  certificate: {url}/erasures/{content['request']}.json"


def _checkpoints(seen: Mapping[str, Any]) -> Iterator[str]:
    for entry in seen["saw"]:
        yield f"  {entry['checkpoint']}: learned from {len(entry['samples']):,} of them; it still holds what it learned"
    yield from (f"  {e['checkpoint']}: cannot be told: {e['why']}" for e in seen["cannot_tell"])
    if not seen["searched"]:
        yield "  no checkpoint was looked at: give --checkpoints the folders of models trained on this run"
    elif not seen["saw"]:
        yield f"  none of {len(seen['did_not']):,} checkpoints found in {', '.join(seen['searched'])} learned from them"


def run_explain(url: str, key: str | None, address: str | None, *, as_json: bool) -> None:
    """Print one sample's story, or that of each sample of an address.

    Raises:
        InputError: not one of the two is given.
    """
    from curate.cli.story import story

    if (key is None) == (address is None):
        raise InputError("give a sample's KEY, or the --url that it came from")
    run = opened(url)
    keys = [key] if key is not None else keys_of_url(run, str(address), _Lines())
    for one in keys:
        told = explain(run, one)
        print(json.dumps(told) if as_json else "\n".join(story(told)))


class _Lines:
    """Progress on standard error, a line now and then."""

    def __init__(self) -> None:
        self.last = time.monotonic()

    def __call__(self, event: dict[str, Any]) -> None:
        now = time.monotonic()
        if now - self.last < EVERY_S:
            return
        self.last = now
        said = ", ".join(f"{name} {value}" for name, value in event.items() if name != "event")
        print(f"{event['event']}: {said}", file=sys.stderr, flush=True)


__all__ = ["Selector", "opened", "run_explain", "run_forget", "run_rewrite"]
