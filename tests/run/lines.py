"""Small runs over numbered lines: what the engine's tests carry out, and what they read of it afterwards."""

import contextlib
import io
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from curate.cli import main
from curate.ledger import FATES, read_ledger
from curate.recipe import parse_recipe
from curate.run.engine import execute
from curate.run.layout import Run
from curate.run.local import LocalRunner
from curate.storage import Folder

CURATE = str(Path(sys.executable).with_name("curate"))
STAGES = (
    {"line_number": {"at_most": 90}},
    "shout",
    "last_digit",
    "one_a_digit",
    {"poison": {"numbers": [4], "max_failed_fraction": 1}},
)
"""Each kind of stage, on 103 lines in 6 partitions: 8 are kept, and every other way out is taken."""


def spelled(*stages, name="lines", budget=0.2, per_shard=4, **source):
    """Return a recipe's YAML over `rows` numbered lines, some of them bad or repeated."""
    source = {"rows": 103, "bad_every": 10, "repeat_every": 25, "partition_size": 20} | source
    tree = {
        "name": name,
        "max_failed_fraction": budget,
        "source": {"numbered_lines": source},
        "stages": list(stages or STAGES),
        "sink": {"webdataset": {"samples_per_shard": per_shard}},
    }
    return yaml.safe_dump(tree, sort_keys=False)


def lines(*stages, **settings):
    """Return the recipe that `spelled` spells."""
    return parse_recipe(spelled(*stages, **settings).encode(), "lines.yaml")


def carry_out(url, recipe=None, hire=LocalRunner, work=None, report=lambda _: None):
    """Execute a recipe at a URL."""
    return execute(recipe or lines(), Run.at(str(url), work), hire, report)


def published(url):
    """Return the bytes of everything a run publishes but its scores, whose files say nothing of a plan."""
    run = Folder(str(url))
    names = ["manifest.json", *(f"{f}/{n}" for f in ("shards", "ledger") for n in run.names(f))]
    return {name: run.read(name) for name in names}


def fates(url):
    """Return the one fate of each key, and check that it is one."""
    ledger = read_ledger(Folder(str(url)))
    ledger = ledger.filter(pc.is_in(ledger["event"], pa.array(FATES)))
    return list(zip(*(ledger[c].to_pylist() for c in ("key", "stage", "event", "reason")), strict=True))


def counted(url):
    """Return how many samples have each (stage, event, reason)."""
    return Counter(fate[1:] for fate in fates(url))


def command(*words, **settings):
    """Run the `curate` command in a process of its own."""
    return subprocess.run([CURATE, *map(str, words)], capture_output=True, text=True, check=False, **settings)


def here(*words):
    """Run the `curate` command in this process: the trainer's libraries, once loaded, take seconds to load again."""
    line, said, complained = ["curate", *map(str, words)], io.StringIO(), io.StringIO()
    argv, on_term, status = sys.argv, signal.getsignal(signal.SIGTERM), None
    sys.argv = line
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            main()
    except SystemExit as end:
        status = end.code
    finally:
        sys.argv = argv
        signal.signal(signal.SIGTERM, on_term)
    return subprocess.CompletedProcess(line, status, said.getvalue(), complained.getvalue())


def measured(counter):
    """Return how many rows the stages that count into this file were asked to measure, and begin again at none."""
    path = Path(counter)
    count = path.stat().st_size if path.exists() else 0
    path.unlink(missing_ok=True)
    return count


def never():
    """Hire nobody: whoever asks for a runner where all is stored is at fault."""
    raise AssertionError("somebody was hired though there was nothing to do")
