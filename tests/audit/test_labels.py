"""Label files of every format say the same; what cannot be used is told with its place."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.audit.labels import read_labels
from curate.errors import InputError

ROWS = {
    "caption": ['a "quoted"\nline', "b", "c"],
    "label": [True, False, None],
    "score": [0.25, 0.5, 1.0],
    "lang": ["en", "de", "en"],
}


def written(path, suffix):
    table = pa.table(ROWS)
    file = path / f"labels{suffix}"
    if suffix == ".parquet":
        pq.write_table(table, file)
    elif suffix == ".jsonl":
        file.write_text("".join(f"{line}\n" for line in (
            r'{"caption": "a \"quoted\"\nline", "label": true, "score": 0.25, "lang": "en"}',
            '{"caption": "b", "label": false, "score": 0.5, "lang": "de"}',
            '{"caption": "c", "label": null, "score": 1, "lang": "en"}',
        )))  # fmt: skip
    else:
        tab = "," if suffix == ".csv" else "\t"
        lines = (
            ["caption", "label", "score", "lang"],
            ['"a ""quoted""\nline"', "1", "0.25", "en"],
            ["b", "False", "0.5", "de"],
            ["c", "", "1", "en"],
        )
        file.write_text("".join(tab.join(line) + "\n" for line in lines))
    return str(file)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv", ".jsonl"])
def test_every_format_says_the_same(tmp_path, suffix):
    labels = read_labels(written(tmp_path, suffix), "label")
    assert labels.bad.tolist() == [True, False]
    assert labels.unlabelled == 1
    assert labels.column("caption").to_pylist() == ['a "quoted"\nline', "b"]
    assert labels.numbers("score").tolist() == [0.25, 0.5]
    assert labels.texts("lang") == ["en", "de"]


@pytest.mark.parametrize(("text", "told"), [
    ("caption,label\na,maybe\n", "row 1: 'label' is 'maybe'; it must be true or 1"),
    ("caption,labels\na,1\n", "no column 'label'; there are caption, labels. Did you mean 'labels'?"),
    ("caption,label\n", "no rows in it"),
    ("caption,label\na,\n", "no row has a 'label'"),
    ("", "cannot be read as csv"),
    ("a,label\n1,1,1\n", "cannot be read as csv"),
])  # fmt: skip
def test_what_is_wrong_is_told(tmp_path, text, told):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(InputError) as refused:
        read_labels(str(tmp_path / "labels.csv"), "label")
    assert told in str(refused.value)
    assert str(refused.value).startswith(str(tmp_path / "labels.csv"))


def test_a_missing_or_unknown_file_is_told(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_labels(str(tmp_path / "labels.csv"), "label")
    with pytest.raises(InputError, match="ends in none of"):
        read_labels(str(tmp_path / "labels.xlsx"), "label")


def test_a_row_without_its_group_or_with_words_for_a_score_is_told(tmp_path):
    (tmp_path / "labels.csv").write_text("score,label,lang\nhigh,1,en\n0.1,0,\n")
    labels = read_labels(str(tmp_path / "labels.csv"), "label")
    with pytest.raises(InputError, match="labelled row 2 has no 'lang'"):
        labels.texts("lang")
    with pytest.raises(InputError, match="column 'score' holds more than numbers"):
        labels.numbers("score")
