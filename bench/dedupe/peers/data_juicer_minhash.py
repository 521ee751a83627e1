"""Run in Data-Juicer's environment: `python data_juicer_minhash.py DOCUMENTS.parquet` prints CPU seconds as JSON.

Its operator's two methods over a dataset in memory, in one process: hashing each document, then joining the buckets.
"""

import json
import sys
import time

import datasets
import pyarrow.parquet as pq
from data_juicer.ops.deduplicator.document_minhash_deduplicator import DocumentMinhashDeduplicator

datasets.disable_progress_bars()
datasets.disable_caching()
texts = pq.read_table(sys.argv[1], columns=["text"])["text"].to_pylist()
operator = DocumentMinhashDeduplicator(
    tokenization="space", window_size=5, num_permutations=112, num_bands=16, num_rows_per_band=7, jaccard_threshold=0.8
)
dataset = datasets.Dataset.from_dict({"text": texts})
started = time.process_time()
hashed = dataset.map(operator.compute_hash)
signed = time.process_time()
kept, _ = operator.process(hashed)
print(json.dumps({"seconds": time.process_time() - started, "signing": signed - started, "kept": len(kept)}))
