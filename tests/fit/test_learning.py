"""fastText alone leaves nine tenths of a small model to chance; here it does not."""

import pytest
from quality_files import BAD, GOOD, documents

from curate.errors import InputError
from curate.fit.learning import supervise

SETTINGS = {"lr": 0.5, "epoch": 2, "dim": 8, "bucket": 1000, "wordNgrams": 1, "minCount": 1, "seed": 0}


def test_ten_models_of_one_file_are_one(tmp_path):
    pairs = zip(documents(GOOD, 100), documents(BAD, 100), strict=True)
    lines = [f"__label__hq {good}\n__label__cc {bad}\n" for good, bad in pairs]
    (tmp_path / "lines.txt").write_text("".join(lines))
    made = set()
    for number in range(10):
        supervise(tmp_path / "lines.txt", **SETTINGS).save_model(str(tmp_path / f"{number}.bin"))
        made.add((tmp_path / f"{number}.bin").read_bytes())
    assert len(made) == 1


def test_diverging_is_told(tmp_path):
    (tmp_path / "lines.txt").write_text("__label__hq good\n__label__cc bad\n" * 50)
    with pytest.raises(InputError, match="Lower --learning-rate"):
        supervise(tmp_path / "lines.txt", **SETTINGS | {"lr": 1e30})
