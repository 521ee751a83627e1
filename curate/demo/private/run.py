"""The whole proof, with the commands that a user would type: plant, find all, run, find none, purge, find none."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from curate.demo.debian import Say
from curate.demo.private.planting import samples, write
from curate.demo.private.search import Search
from curate.demo.private.values import Value
from curate.demo.run import curate_command, found_recipe
from curate.errors import RunError
from curate.shards import ShardReader

RECIPE = "pipelines/private_pairs.yaml"
RAW = "work"
PICTURES = frozenset({"jpg", "png", "webp", "gif"})
SOUNDS = frozenset({"wav", "flac", "ogg", "mp3"})


@dataclass(frozen=True)
class Proof:
    """Where things go, and how much is planted."""

    out: Path
    say: Say
    share: float = 1.0

    @property
    def folder(self) -> Path:
        """The samples as a user would have them."""
        return self.out / "input"

    @property
    def run(self) -> Path:
        """What the recipe makes of them."""
        return self.out / "run"


def prove(proof: Proof) -> None:
    """Plant values, and hold that a run of the recipe lets none of them out.

    Raises:
        CurateError: a command failed, or the search found what it must not, or missed what it must find.
    """
    began = time.monotonic()
    planted = samples(proof.share)
    write(proof.folder, planted)
    places = {value: where for sample in planted for where, value in sample.values}
    proof.say(f"{len(planted)} samples with {len(places)} made-up personal values in {proof.folder}:")
    _table(proof.say, places)
    search = Search(places)
    _all(search, proof, places)
    curate_command(proof.say, "run", found_recipe(RECIPE), *_settings(proof), "--out", str(proof.run))
    curate_command(proof.say, "check", str(proof.run))
    _published(proof, len(planted))
    _none(search.find(proof.run, without=(RAW,)), places, "outside work/")
    curate_command(proof.say, "purge", str(proof.run))
    _none(search.find(proof.run), places, "after purging")
    proof.say(f"none of the {len(places)} values is left in {proof.run}; this took {time.monotonic() - began:.0f} s")


def _settings(proof: Proof) -> Sequence[str]:
    return ("--set", f"media_folder.path={proof.folder}")


def _table(say: Say, places: Mapping[Value, str]) -> None:
    counts = Counter((value.kind, where) for value, where in places.items())
    for kind in sorted({kind for kind, _ in counts}):
        say(f"  {kind:15}" + "".join(f"{counts[kind, w]:5} in {w:8}" for w in ("caption", "picture", "speech")))


def _all(search: Search, proof: Proof, places: Mapping[Value, str]) -> None:
    found = search.find(proof.folder)
    missed = [f"{value.kind} in a {where}" for value, where in places.items() if value not in found]
    if missed:
        raise RunError("\n".join(("the search does not find what was planted, so it would prove nothing:", *missed)))
    proof.say(f"the search finds all {len(places)} of them in the input")


def _published(proof: Proof, planted: int) -> None:
    """Say how many samples came through; where all were dropped, nothing would be proven by finding nothing."""
    reader = ShardReader(str(proof.run))
    members = [reader.read(i) for i in range(len(reader))]
    media = {"a picture": PICTURES, "speech": SOUNDS}
    kinds = {what: sum(not names.isdisjoint(m) for m in members) for what, names in media.items()}
    told = ", ".join(f"{count} with {what}" for what, count in kinds.items())
    if not all(kinds.values()):
        raise RunError(f"of {planted} samples {len(reader)} are published ({told}): too few to prove anything")
    proof.say(f"of {planted} samples {len(reader)} are published: {told}")


def _none(found: Mapping[Value, Sequence[str]], places: Mapping[Value, str], when: str) -> None:
    if found:
        lines = [f"{v.kind} planted in a {places[v]}: {', '.join(sorted(set(at)))}" for v, at in found.items()]
        raise RunError("\n".join((f"{len(found)} planted values were found {when}:", *lines)))
