"""The peak memory of a whole run: driver and workers together, sampled while `curate run` works on Ray."""

import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECIPE = """name: memory
source: {{numbered_lines: {{rows: {rows}, partition_size: 100}}}}
stages:
- flaky: {{until: /, padding: 100000}}
- line_number
sink: webdataset
"""


def peak_of(rows: int) -> float:
    """Return the largest sum of private memory, in MB, of the command and its Ray workers over `rows` pictures."""
    with tempfile.TemporaryDirectory() as folder:
        recipe = Path(folder, "memory.yaml")
        recipe.write_text(RECIPE.format(rows=rows))
        curate = Path(sys.executable).with_name("curate")
        line = [str(curate), "run", str(recipe), "--out", f"{folder}/run", "--workers", "1"]
        process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, sum(map(private_mb, [process.pid, *workers_of(process.pid)])))
            time.sleep(0.05)
        if process.returncode:
            raise SystemExit(f"the run of {rows} pictures ended with status {process.returncode}")
        return peak


def workers_of(driver: int) -> list[int]:
    """Return the processes of Ray below a driver that do the run's work."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found, todo = [], [driver]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return [pid for pid in found if title(pid).startswith(("ray::Worker", "ray::publish", "ray::judge"))]


def title(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    return ""


def private_mb(pid: int) -> float:
    """Return a process's anonymous memory: pages of mapped files can be dropped at any time, and do not count."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon"):
                return int(line.split()[1]) / 1e3
    return 0.0
