"""Public tools beside ours, each in an environment of its own that the first use makes."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CACHE = Path("~/.cache/curate/bench").expanduser()
PEERS = Path(__file__).with_name("peers")
PINS: Mapping[str, tuple[str, ...]] = {
    "datatrove-minhash": (
        "datatrove[processing]==0.10.1",
        "xxhash==3.8.2",
        "orjson",
        "pyarrow==26.0.1",
        "spacy==3.8.18",
    ),
    "data-juicer": ("py-data-juicer==1.6.1", "aiohttp", "ray==2.60.0"),
    "text-dedup": ("text-dedup==0.4.0",),
}


def run(environment: str, script: str, *arguments: str) -> dict[str, Any]:
    """Run a script of `peers` in an environment, on one core, and return the JSON of its last line."""
    command = [str(_python(environment)), str(PEERS / script), *arguments]
    alone = os.environ | {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    alone.pop("PYTHONPATH", None)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=alone)
    if done.returncode:
        raise SystemExit(f"{environment}: {script} failed:\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.strip().splitlines()[-1]))


def _python(environment: str) -> Path:
    folder = CACHE / environment
    python, ready = folder / "bin" / "python", folder / "installed"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PINS[environment]], check=True)
        ready.write_text("\n".join(PINS[environment]))
    return python
