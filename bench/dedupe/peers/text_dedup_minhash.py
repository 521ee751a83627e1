"""Run in text-dedup's environment: `python text_dedup_minhash.py DOCUMENTS.parquet` prints CPU seconds as JSON.

Its own command, called in this process once everything is imported; one worker, whose time counts too.
"""

import json
import logging
import sys
import tempfile
import time
from resource import RUSAGE_CHILDREN, getrusage

import datasets
from text_dedup.minhash import main

datasets.disable_progress_bars()
logging.disable(logging.CRITICAL)
with tempfile.TemporaryDirectory() as folder:
    before, started = getrusage(RUSAGE_CHILDREN), time.process_time()
    main(
        [
            "--path", "parquet", "--data_files", sys.argv[1], "--split", "train", "--cache_dir", f"{folder}/cache",
            "--output", f"{folder}/out", "--column", "text", "--ngram", "5", "--min_length", "1",
            "--num_perm", "112", "--b", "16", "--r", "7", "--threshold", "0.8", "--num_proc", "1",
        ],
        standalone_mode=False,
    )  # fmt: skip
    seconds = time.process_time() - started
    after = getrusage(RUSAGE_CHILDREN)
    seconds += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    kept = len(datasets.load_from_disk(f"{folder}/out"))
print(json.dumps({"seconds": seconds, "kept": kept}))
