"""What a screen lets pass on your own texts: `python -m bench.privacy.miss_rate FILE --screen tox-block`.

FILE is a parquet, CSV or JSON-lines table with a column of texts. Both models rate every text, so that nothing is
guessed: it takes as long as the stage without a screen. Of the texts that the model itself would drop, the share that
the screen passes unseen is given with an exact 95 % interval, for several values of `below`.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
import torch

from curate.audit.bounds import interval
from filters.toxicity import Toxicity

BELOW = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
READERS = {".parquet": pa.parquet.read_table, ".csv": pa.csv.read_csv, ".jsonl": pa.json.read_json}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.privacy.miss_rate", description=__doc__)
    parser.add_argument("file", type=Path, help="a .parquet, .csv or .jsonl table")
    parser.add_argument("--column", default="caption", help="the column of texts  [default: caption]")
    parser.add_argument("--model", default="unbiased", help="the main model, as a recipe spells it")
    parser.add_argument("--screen", default="tox-block", help="the screen, as a recipe spells it")
    parser.add_argument("--at-most", type=float, default=0.5, help="above it the main model drops")
    options = parser.parse_args()
    read = READERS.get(options.file.suffix)
    if read is None:
        parser.error(f"{options.file}: name a file that ends in {', '.join(READERS)}")
    table = read(options.file)
    if options.column not in table.column_names:
        parser.error(f"{options.file} has no column '{options.column}'; it has {', '.join(table.column_names)}")
    torch.set_num_threads(1)
    texts = pa.table({"caption": table[options.column].cast(pa.string())})
    print_misses(highest(options.screen, texts), highest(options.model, texts) > options.at_most)


def highest(model: str, texts: pa.Table) -> npt.NDArray[np.float32]:
    """Return the highest label of each text, as the stage decides on."""
    columns = Toxicity(model=model).open()(texts)
    return np.stack([np.asarray(column) for column in columns]).max(axis=0)


def print_misses(screen: npt.NDArray[np.float32], dropped: npt.NDArray[np.bool_]) -> None:
    """Print a line for each value of `below`."""
    count = int(dropped.sum())
    print(f"{len(screen)} texts, of which the model drops {count}")
    for below in BELOW:
        passed = screen < below
        missed = int((passed & dropped).sum())
        low, high = interval(missed, count) if count else (0.0, 1.0)
        print(
            f"below {below:g}: the model need not see {passed.mean():.1%}; passes unseen {missed} of {count} "
            f"that it drops, {low:.2%} to {high:.2%} (95 %)"
        )


if __name__ == "__main__":
    main()
