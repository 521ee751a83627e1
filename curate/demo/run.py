"""The demo from beginning to end, with the commands that a user would type."""

import json
import shlex
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import curate
from curate.demo.debian import Say
from curate.demo.faults import Fault, plant
from curate.demo.listing import write_list
from curate.demo.pictures import DEBIAN, Collection, collect
from curate.demo.planted import searched_values
from curate.demo.server import HOST, PORT, serving
from curate.demo.verify import leaks, unmet
from curate.errors import CurateError, RunError
from curate.shards import ShardReader

RECIPE = "pipelines/demo.yaml"
ENOUGH = 1000
"""Pictures below which the demo says that it is not the whole one."""


@dataclass(frozen=True)
class Demo:
    """Where the demo keeps things and what it says."""

    out: Path
    cache: Path
    port: int
    say: Say

    @property
    def address(self) -> str:
        """The server's."""
        return f"http://{HOST}:{self.port}"

    @property
    def urls(self) -> Path:
        """The list of URLs, for this port."""
        return self.cache / ("urls.parquet" if self.port == PORT else f"urls-{self.port}.parquet")


def prepare(demo: Demo) -> tuple[Collection, tuple[Fault, ...]]:
    """Have the pictures here, the planted files among them, and the list that names both.

    Raises:
        CurateError: the pictures cannot be had.
    """
    collection = collect(demo.cache, demo.say)
    faults = plant(collection)
    rows = write_list(demo.urls, collection, faults, demo.address)
    demo.say(f"{demo.urls} lists {rows:,} samples, {len(faults)} of them planted to go wrong")
    return collection, faults


def serve(demo: Demo) -> None:
    """Serve the pictures until somebody interrupts."""
    collection, _ = prepare(demo)
    with serving(collection.folder, demo.port) as address:
        demo.say(f"serving {collection.folder} at {address}; Ctrl-C ends it")
        threading.Event().wait()


def run(demo: Demo) -> None:
    """Fetch, filter, check, train and ask.

    Raises:
        CurateError: a command failed, or the run is not what it must be.
    """
    began = time.monotonic()
    collection, faults = prepare(demo)
    with serving(collection.folder, demo.port):
        curate_command(demo.say, "run", found_recipe(), *_settings(demo), "--out", str(demo.out))
    curate_command(demo.say, "check", str(demo.out))
    _check_faults(demo, faults)
    model = demo.out / "model"
    curate_command(demo.say, "train", "llava-tiny", "--data", str(demo.out), "--out", str(model))
    picture, question, caption = _shown(demo)
    curate_command(demo.say, "generate", str(model), "--image", str(picture), "--question", question)
    demo.say(f"(its caption in the corpus: {caption})")
    _check_leaks(demo)
    if collection.origin != DEBIAN or len(collection.pictures) < ENOUGH:
        demo.say(f"!! this was the small demo: {len(collection.pictures)} pictures of {ENOUGH:,} or more")
    demo.say(f"the demo took {time.monotonic() - began:.0f} s; its run is in {demo.out}, its model in {model}")


def _shown(demo: Demo) -> tuple[Path, str, str]:
    """Write the corpus's first picture to a file; return it, the question it was trained with, and its caption."""
    members = ShardReader(str(demo.out)).read(0)
    facts = json.loads(members["json"])
    suffix = next(name for name in members if name not in {"json", "txt"})
    picture = demo.out / f"asked-about.{suffix}"
    picture.write_bytes(members[suffix])
    question = facts["conversations"][0]["value"].replace("<image>", "").strip()
    return picture, question, facts["caption"]


def curate_command(say: Say, *arguments: str) -> None:
    """Run `curate` with these arguments, as typed in a shell.

    Raises:
        CurateError: it failed; it has said why.
    """
    program = Path(sys.executable).with_name("curate")
    if not program.is_file():
        raise CurateError(f"{program} is not there: install the project into this environment (pip install -e .)")
    say(f"\n$ {shlex.join(('curate', *arguments))}")
    done = subprocess.run([str(program), *arguments], check=False)  # noqa: S603 - no shell, our own arguments
    if done.returncode:
        raise CurateError(f"`curate {arguments[0]}` ended with status {done.returncode}")


def found_recipe(recipe: str = RECIPE) -> str:
    """Return the path of a recipe, from here or from the clone that this package is installed from.

    Raises:
        CurateError: it is in neither.
    """
    beside = Path(curate.__file__).parents[1] / recipe
    for path in (Path(recipe), beside):
        if path.is_file():
            return str(path)
    raise CurateError(f"{recipe} is neither here nor at {beside}: run the demo in a clone of the repository")


def _settings(demo: Demo) -> list[str]:
    usual = demo.urls == Path("~/.cache/curate/demo/urls.parquet").expanduser()  # as the recipe spells it
    changed = [] if usual else [f"urls.path={demo.urls}"]
    if demo.port != PORT:
        changed.append(f'fetch.allow_hosts=["{HOST}:{demo.port}"]')
    return [word for setting in changed for word in ("--set", setting)]


def _check_faults(demo: Demo, faults: tuple[Fault, ...]) -> None:
    complaints = unmet(demo.out, faults, demo.address)
    if complaints:
        raise RunError("\n".join((f"{len(complaints)} planted rows did not meet their reason:", *complaints)))
    demo.say(f"all {len(faults)} planted rows are in the ledger under their stage and reason")


def _check_leaks(demo: Demo) -> None:
    values = searched_values()
    found = leaks(demo.out, values)
    if found:
        raise RunError("\n".join(("planted personal values got out:", *found)))
    demo.say(f"\nnone of {len(values)} planted personal values is in any file of {demo.out} outside work/")
