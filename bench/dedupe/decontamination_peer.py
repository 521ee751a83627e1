"""datatrove's n-gram decontamination over a file of texts; runs in an environment of its own.

Called as `decontamination_peer.py ITEMS.json TEXTS.parquet RESULT.json`. The indexer's own `compute_hashes` makes the
index: its `run` wants lighteval and a hub.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.decont.n_grams import NGramsDecontConfig, NGramsDecontFilter, NGramsDecontIndexer
from datatrove.utils.hashing import create_hash_func
from datatrove.utils.word_tokenizers import load_word_tokenizer


def main() -> None:
    items = json.loads(Path(sys.argv[1]).read_text())
    texts = pq.read_table(sys.argv[2])["text"].to_pylist()
    config = NGramsDecontConfig(n_grams=12, find_query_ngrams=True)
    indexer = SimpleNamespace(
        config=config, tokenizer=load_word_tokenizer("en"), hash_func=create_hash_func(config.hash_config)
    )
    hashes = {h for query, label in items for h in NGramsDecontIndexer.compute_hashes(indexer, label, query)}
    with tempfile.TemporaryDirectory() as folder:
        np.array(sorted(hashes), config.hash_config.np_descr).tofile(Path(folder, "tests.index.hashes"))
        one = NGramsDecontFilter(folder, config)
        one.filter(Document(text=texts[0], id=""))  # the index and spaCy load
        started = time.process_time()
        dropped = [one.filter(Document(text=text, id="")) is not True for text in texts]
        seconds = time.process_time() - started
    Path(sys.argv[3]).write_text(json.dumps({"dropped": dropped, "seconds": seconds, "ngrams": len(hashes)}))


if __name__ == "__main__":
    main()
