"""Killing a run: `curate run` in a process of its own, SIGKILL at moments drawn from a seed, and what is left after."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
from pathlib import Path

from tests.run.lines import CURATE, command, published


def drivers(process):
    """Return the command's own process."""
    return [process.pid]


def workers(process):
    """Return the processes that carry partitions for the command on Ray, which are among its descendants."""
    return [pid for pid in descendants(process.pid) if title(pid).startswith("ray::Worker")]


def descendants(pid):
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, todo = [], [pid]
    while todo:
        children = parents.get(todo.pop(), [])
        found += children
        todo += children
    return sorted(found)


def title(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    return ""


def kill_at_random(line, victims, seed, kills, within_s):
    """Run the command `curate LINE`, kill one of its `victims` after a random while, `kills` times, then finish it.

    A command that outlives its victim goes on and is hit again; one that did not is started again.
    `within_s` bounds the while between two kills; of its `kills` equal parts each gives one moment, in a random order,
    so that few kills meet early and late moments alike. Nothing waits for what a killed driver leaves behind: Ray's
    workers may still be at their last partition when the next command begins. Returns how many kills hit something.
    """
    moments = random.Random(seed)
    parts = moments.sample(range(kills), kills)
    hit = 0
    process = start(line)
    while hit < kills:
        if wait(process, (parts[hit] + moments.random()) * within_s / kills):
            hit += kill(victims(process), moments)
            if victims is drivers:
                process.wait(60)
        if process.poll() == 0:
            # A quick machine was done before its turn: begin anew, and strike sooner.
            within_s /= 2
            shutil.rmtree(line[line.index("--out") + 1])
        if process.poll() is not None:
            process = start(line)
    process.wait(300)
    end = command(*line)
    assert end.returncode == 0, end.stderr
    return hit


def start(line):
    return subprocess.Popen(
        [CURATE, *map(str, line)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def wait(process, seconds):
    """Return whether the command still runs after a while."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
        return False
    return True


def kill(pids, moments):
    if not pids:
        return 0
    with contextlib.suppress(ProcessLookupError):
        os.kill(moments.choice(pids), signal.SIGKILL)
        return 1
    return 0


def same_after_kills(line, out, undisturbed, victims, **moments):
    """Kill and finish a run at `out`; assert that it published what the run at `undisturbed` did."""
    hit = kill_at_random((*line, "--out", out), victims, **moments)
    assert published(out) == published(undisturbed)
    checked = command("check", out)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    return hit
