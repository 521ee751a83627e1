"""Shards beside the public `webdataset` and `wids`: `python -m bench.shards [--quick]`, one JSON line each.

Both sides write and read the same samples in turns, and the best round counts: a busy machine hurts neither.
"""

import argparse
import hashlib
import json
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path

import webdataset
import wids

from curate.shards import Manifest, ShardReader, write_shard
from curate.storage import Folder

Sample = tuple[str, list[tuple[str, bytes]]]
PER_SHARD = 1000


def samples(count: int, picture_bytes: int) -> Iterator[Sample]:
    noise = random.Random(0).randbytes(picture_bytes + 4096)
    for i in range(count):
        key = hashlib.blake2b(str(i).encode(), digest_size=16).hexdigest()
        caption = f"picture number {i}"
        fields = {"caption": caption, "key": key, "status": "success", "width": 256, "height": 256, "sha256": key * 2}
        picture = noise[i % 4096 : i % 4096 + picture_bytes]
        yield key, [("jpg", picture), ("json", json.dumps(fields).encode()), ("txt", caption.encode())]


def shards_of(made: list[Sample]) -> Iterator[tuple[str, list[Sample]]]:
    for number, start in enumerate(range(0, len(made), PER_SHARD)):
        yield f"{number:05d}.tar", made[start : start + PER_SHARD]


def write_ours(made: list[Sample], run: Path) -> None:
    folder = Folder(str(run))
    entries = [write_shard(folder / "shards", name, part) for name, part in shards_of(made)]
    Manifest("bench", tuple(entries)).save(folder)


def write_peer(made: list[Sample], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, part in shards_of(made):
        with (folder / name).open("wb") as stream, webdataset.TarWriter(stream, encoder=False, mtime=0) as tar:
            for key, members in part:
                tar.write({"__key__": key, **dict(members)})


def read_ours(reader: ShardReader, order: list[int]) -> int:
    return sum(len(reader.read(i)["jpg"]) for i in order)


def read_peer(shards: list[str]) -> int:
    dataset = webdataset.WebDataset(shards, shardshuffle=False, empty_check=False)
    return sum(len(sample["jpg"]) for sample in dataset)


def random_peer(dataset: wids.ShardListDataset, order: list[int]) -> int:
    return sum(len(dataset[i][".jpg"].getvalue()) for i in order)


def race(ours: Callable[[], object], peer: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the best seconds of each side, run in turns."""
    best = [float("inf"), float("inf")]
    for _ in range(rounds):
        for side, work in enumerate((ours, peer)):
            begin = time.perf_counter()
            with redirect_stdout(sys.stderr):  # wids prints, and our output is JSON lines
                work()
            best[side] = min(best[side], time.perf_counter() - begin)
    return best[0], best[1]


def report(what: str, seconds: tuple[float, float], amount: float, unit: str, goal: float) -> None:
    ours, peer = (amount / s for s in seconds)
    line = {"bench": "shards", "what": what, "ours": round(ours, 1), "peer": round(peer, 1), "unit": unit}
    print(json.dumps({**line, "ratio": round(ours / peer, 2), "goal": goal}), flush=True)


def compare(label: str, made: list[Sample], root: Path, rounds: int) -> None:
    run, other = root / label, root / f"{label}-peer"
    megabytes = sum(len(data) for _, members in made for _, data in members) / 1e6
    seconds = race(lambda: write_ours(made, run), lambda: write_peer(made, other), rounds)
    report(f"write {label}, ours with sha256 and index", seconds, megabytes, "MB/s", 0.9)

    reader = ShardReader(str(run))
    shards = sorted(str(path) for path in (run / "shards").glob("*.tar"))
    order = list(range(len(made)))
    seconds = race(lambda: read_ours(reader, order), lambda: read_peer(shards), rounds)
    report(f"read {label} in order", seconds, len(made), "samples/s", 5.0)

    lists = [{"url": path, "nsamples": len(part)} for path, (_, part) in zip(shards, shards_of(made), strict=True)]
    dataset = wids.ShardListDataset(lists, lru_size=len(lists), keep=True, localname=str, transformations=[])
    random.Random(1).shuffle(order)
    seconds = race(lambda: read_ours(reader, order), lambda: random_peer(dataset, order), rounds)
    report(f"read {label} at random, against wids", seconds, len(made), "samples/s", 1.3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    quick = parser.parse_args().quick
    warnings.simplefilter("ignore")
    scale, rounds = (10, 3) if quick else (1, 3)
    with tempfile.TemporaryDirectory() as root:
        compare("2 KB pictures", list(samples(20_000 // scale, 2_000)), Path(root), rounds)
        compare("100 KB pictures", list(samples(2_000 // scale, 100_000)), Path(root), rounds)


if __name__ == "__main__":
    main()
