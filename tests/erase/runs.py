"""Runs over pictures that this file draws, and a scan for what may be left of a sample anywhere in a run."""

import hashlib
import io
import itertools
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from PIL import Image

from curate.ledger import read_ledger
from curate.recipe import parse_recipe
from curate.run.engine import execute
from curate.run.layout import Run
from curate.run.local import LocalRunner
from curate.shards import Features, Manifest
from curate.storage import Folder

PICTURES = 60
COPIES = {10: 40, 11: 41}
"""Numbers whose pictures are the very bytes of an earlier one."""
STAGES = ("exact_duplicates", "shout", {"line_number": {"at_most": 49}})
"""Captions end in their number; even ones are written in capitals; the last ten are dropped."""


def picture(number, side=128):
    """Return a JPEG that looks like no other number's: clouds of colour in five sizes, the fine ones faint."""
    draws = np.random.default_rng(number)
    total = np.zeros((side, side, 3))
    for octave in range(1, 6):
        coarse = Image.fromarray(draws.integers(0, 256, (2**octave, 2**octave, 3), np.uint8))
        total += np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), float) / octave
    total -= total.min()
    stream = io.BytesIO()
    Image.fromarray((total * 255 / total.max()).astype(np.uint8)).save(stream, "JPEG", quality=92)
    return stream.getvalue()


def caption(number):
    return f"Quaint heirloom of Jane Smith-{number:04d} {number}"


def url(number):
    return f"album/person-{number:04d}.jpg"


def draw(root, numbers=range(PICTURES)):
    """Write the folder of pictures that the recipe lists."""
    (root / "album").mkdir(parents=True)
    copied = {copy: of for of, copy in COPIES.items()}
    for number in numbers:
        (root / url(number)).write_bytes(picture(copied.get(number, number)))
        (root / url(number).replace(".jpg", ".txt")).write_text(caption(number))
    return root


def spelled(pictures, *stages, per_shard=8, partition_size=16):
    tree = {
        "name": "album",
        "source": {"image_folder": {"path": str(pictures), "partition_size": partition_size}},
        "stages": list(stages or STAGES),
        "sink": {"webdataset": {"samples_per_shard": per_shard}},
    }
    return yaml.safe_dump(tree, sort_keys=False)


def recipe(pictures, *stages, **settings):
    return parse_recipe(spelled(pictures, *stages, **settings).encode(), "album.yaml")


def carry_out(out, pictures, *stages, work=None, hire=LocalRunner, **settings):
    """Execute the recipe; return the run."""
    run = Run.at(str(out), work)
    execute(recipe(pictures, *stages, **settings), run, hire, lambda _: None)
    return run


def store_features(run, name="f" * 32):
    """Store three random numbers for each sample, the same for the same key, as a preset's towers would."""
    features = Features(run.folder.url, name)
    shards = Manifest.load(run.folder).shards
    for entry in shards:
        with features.writing(entry, (3,), "float32") as (table, missing):
            table[:] = np.random.default_rng(int(entry.sha256[:8], 16)).random((entry.samples, 3))
            missing["1"] = "no_picture"
    features.finish({"by": "a test"}, shards)
    return features


def keys(run, *numbers):
    """Return the keys of samples by their numbers, from the list as it came."""
    found = {}
    for name in run.work.names("source"):
        if name.endswith(".parquet"):
            table = run.work.read_parquet(f"source/{name}")
            found |= dict(zip(table["url"].to_pylist(), table["key"].to_pylist(), strict=True))
    return [found[url(number)] for number in numbers]


def everything(folder, known=()):
    """Return every file below a folder with its bytes and, of tables, the bytes of what they decode to."""
    for path in sorted(p for p in Path(folder).rglob("*") if p.is_file() and name_in(folder, p) not in known):
        yield path, path.read_bytes() + b"\n" + b"\n".join(_decoded(path))


def name_in(folder, path):
    return path.relative_to(folder).as_posix()


def _decoded(path):
    if path.suffix == ".parquet":
        yield from _cells(pq.read_table(path))
    elif path.suffix in {".arrow", ".idx"}:
        with pa.memory_map(str(path)) as source:
            yield from _cells(pa.ipc.open_file(source).read_all())
    elif path.suffix == ".tar":
        with tarfile.open(path) as tar:
            yield from (tar.extractfile(member).read() for member in tar)


def _cells(table):
    for value in itertools.chain.from_iterable(column.to_pylist() for column in table.columns):
        if isinstance(value, bytes):
            yield value
        elif value is not None:
            yield repr(value).encode()


def holding(folder, needles, known=()):
    """Return (file, needle's name) for every file below a folder that holds any of the needles, a name to bytes.

    Files whose names are `known` are not read.
    """
    return [
        (str(path.relative_to(folder)), name)
        for path, data in everything(folder, known)
        for name, needle in needles.items()
        if needle.lower() in data.lower()
    ]


def needles(*numbers):
    """Return what must not be left of samples: address, caption, in capitals too, the middle of the picture, its hash.

    A picture that another number has too, which stays, may stay.
    """
    copied = {copy: of for of, copy in COPIES.items()}
    found = {}
    for number in numbers:
        found |= {f"url {number}": url(number).encode(), f"caption {number}": f"smith-{number:04d}".encode()}
        if number not in copied or copied[number] in numbers:
            data = picture(copied.get(number, number))
            found[f"picture {number}"] = data[len(data) // 2 : len(data) // 2 + 64]
            found[f"sha256 {number}"] = hashlib.sha256(data).hexdigest().encode()
    return found


def times(folder):
    return {name_in(folder, p): p.stat().st_mtime_ns for p in Path(folder).rglob("*") if p.is_file()}


def contents(folder):
    """Return the bytes of every file below a folder, locks aside."""
    return {name_in(folder, p): p.read_bytes()
            for p in sorted(Path(folder).rglob("*")) if p.is_file() and p.name != ".lock"}  # fmt: skip


def ledger(run):
    return read_ledger(Folder(run.folder.url)).to_pylist()
