"""Run in datatrove's environment: `python datatrove_signatures.py DOCUMENTS.parquet` prints CPU seconds as JSON.

The step's own two calls for each document, with its settings for FineWeb: 14 buckets of 8, 5-grams, English tokens.
Writing and sorting of its files is left out.
"""

import json
import sys
import tempfile
import time

import pyarrow.parquet as pq
from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

texts = pq.read_table(sys.argv[1], columns=["text"])["text"].to_pylist()
with tempfile.TemporaryDirectory() as folder:
    step = MinhashDedupSignature(folder, MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8))
    step.get_shingles("five words that load it all")
    started = time.process_time()
    for text in texts:
        shingles = step.get_shingles(text)
        if shingles.size:
            step.get_signature(shingles)
print(json.dumps({"seconds": time.process_time() - started}))
