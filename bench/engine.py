"""What the engine costs: its rate over that of the same functions in a plain loop, and what is stored for later.

Run as `python -m bench.engine [--quick]`: one JSON object a line. The stages spin the CPU for about 5 ms a sample.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "plugin"))
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join(sys.path[:2])

import pyarrow as pa  # noqa: E402 - the stages of the tests are on the path from here on
import yaml  # noqa: E402

from bench.memory import peak_of  # noqa: E402
from curate.recipe import Recipe, parse_recipe  # noqa: E402
from curate.run.engine import Finished, Runner, execute  # noqa: E402
from curate.run.layout import Run  # noqa: E402
from curate.run.local import LocalRunner  # noqa: E402
from curate.run.start import start_ray  # noqa: E402

SECONDS_A_SAMPLE = 0.005
PARTITION = 200


def say(what: str, ours: float, peer: float | None, unit: str, goal: str) -> None:
    """Print one line. A ratio above 1 says that ours is better: of seconds and megabytes, less is."""
    better = None if not peer else peer / ours if unit in {"s", "MB"} else ours / peer
    ratio = None if better is None else round(better, 4)
    line = {"bench": "engine", "what": what, "ours": round(ours, 3), "peer": None if peer is None else round(peer, 3)}
    print(json.dumps(line | {"unit": unit, "ratio": ratio, "goal": goal}), flush=True)


def recipe(rows: int, rounds: int, at_most: int = 60_000) -> Recipe:
    tree = {
        "name": "engine",
        "source": {"numbered_lines": {"rows": rows, "partition_size": PARTITION}},
        "stages": [{"busy": {"rounds": rounds, "at_most": at_most}}, "shout", "line_number"],
        "sink": {"webdataset": {}},
    }
    return parse_recipe(yaml.safe_dump(tree).encode(), "engine.yaml")


def calibrate() -> int:
    """Return how many rounds of hashing take 5 ms on this machine now."""
    (busy, *_) = recipe(1, 1000).stages
    score, table = busy.open(), pa.table({"caption": ["line 1"] * 50})
    started = time.perf_counter()
    score(table)
    return int(1000 * SECONDS_A_SAMPLE * 50 / (time.perf_counter() - started))


def partitions(made: Recipe) -> Iterator[pa.Table]:
    rows = made.source.rows
    for start in range(0, rows, PARTITION):
        yield pa.table({"caption": [f"line {i}" for i in range(start, min(start + PARTITION, rows))]})


def _plain(made: Recipe, share: int, of: int, ready: Any, go: Any) -> None:
    busy, shout, number = (stage.open() for stage in made.stages)
    mine = list(partitions(made))[share::of]
    ready.release()
    go.wait()
    for table in mine:
        kept = table.filter(pa.compute.less_equal(busy(table)[0], made.stages[0].at_most))
        number(shout(kept).columns)


def plain_loop(made: Recipe, processes: int) -> float:
    """Return the seconds that the stages' own functions take over the same partitions, start-up left out."""
    context = multiprocessing.get_context("spawn")
    ready, go = context.Semaphore(0), context.Event()
    workers = [context.Process(target=_plain, args=(made, i, processes, ready, go)) for i in range(processes)]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    started = time.perf_counter()
    go.set()
    for worker in workers:
        worker.join()
    return time.perf_counter() - started


def engine(made: Recipe, out: str, runner: Runner) -> float:
    """Return the seconds of a whole run, listing, ledger and shards included; the runner has been started."""
    started = time.perf_counter()
    carry_out(made, out, runner)
    return time.perf_counter() - started


def carry_out(made: Recipe, out: str, runner: Runner) -> Finished:
    return execute(made, Run.at(out), lambda: runner, lambda _: None)


def overhead(rows: int, rounds: int, folder: str) -> None:
    made = recipe(rows, rounds)
    peer = plain_loop(made, 1)
    ours = engine(made, f"{folder}/local", LocalRunner())
    say("rate in this process, against a plain loop", rows / ours, rows / peer, "samples/s", "ratio >= 0.9")
    for workers in (1, 2):
        peer = plain_loop(made, workers)
        ours, start = on_ray(made, workers, f"{folder}/ray-{workers}")
        say(f"start of Ray, {workers} workers", start[0], None, "s", "stated only")
        say(f"start of worker processes in each run, {workers} workers", start[1], None, "s", "stated only")
        say(f"rate on Ray once started, {workers} workers, against as many plain loops", rows / (ours - start[1]),
            rows / peer, "samples/s", "ratio >= 0.9")  # fmt: skip
        say(f"whole run of {rows:,} samples on Ray, {workers} workers, against as many plain loops", ours, peer, "s",
            "stated only")  # fmt: skip
    cached(rows, rounds, f"{folder}/ray-2", ours)


def on_ray(made: Recipe, workers: int, out: str) -> tuple[float, tuple[float, float]]:
    """Return the seconds of a whole run; those that Ray took to start; and those of a run of two samples.

    The last are what any run pays for starting worker processes, whatever its length.
    """
    import ray

    started = time.perf_counter()
    ray.init(address="local", num_cpus=workers, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray_started = time.perf_counter() - started
    try:
        nothing = engine(recipe(2, 1), f"{out}-nothing", start_ray(workers, 600.0))
        return engine(made, out, start_ray(workers, 600.0)), (ray_started, nothing)
    finally:
        ray.shutdown()


def cached(rows: int, rounds: int, out: str, first: float) -> None:
    again = engine(recipe(rows, rounds), out, LocalRunner())
    say("a run whose every stage is stored, against its first run", again, first, "s", "seconds")
    moved = engine(recipe(rows, rounds, at_most=30_000), out, LocalRunner())
    say("a moved threshold, against its first run", moved, first, "s", "seconds, nothing measured")


def memory(quick: bool) -> None:
    """Compare the peaks of driver and workers on a list and on one of twice the length."""
    rows = 1000 if quick else 6000
    small, double = (peak_of(n) for n in (rows, 2 * rows))
    say(f"peak memory, {2 * rows:,} pictures of 100 KB against {rows:,}", double, small, "MB", "ratio about 1")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="end within two minutes")
    quick = options.parse_args().quick
    rounds = calibrate()
    with tempfile.TemporaryDirectory() as folder:
        overhead(1600 if quick else 12_000, rounds, folder)
    memory(quick)


if __name__ == "__main__":
    main()
