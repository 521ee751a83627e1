import subprocess
import sys

import pytest
from tokenizers import Tokenizer, models

from curate.errors import TrainError
from curate.train.vocabulary import BEGIN, END, learn, load


def test_the_same_texts_give_the_same_vocabulary_in_every_process():
    code = (
        "from curate.train.vocabulary import learn\n"
        "words = [f'a{chr(97 + i % 7)}b{chr(97 + i % 5)} heron{i % 11}' for i in range(200)]\n"
        "print(learn(words, 310, ('<s>', '</s>')).tokenizer.to_str())"
    )
    runs = {subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(3)}
    assert len(runs) == 1
    assert Tokenizer.from_str(runs.pop().decode()).get_vocab_size() == 310


def test_any_text_survives():
    words, text = learn(["a heron"], 300, (BEGIN, END)), "naïve 漢字 \U0001f99c \t\n\u0000 x </s>"
    assert words.tokenizer.decode(words.encode(text).ids) == text


def test_a_special_token_is_added_once():
    words = learn(["a heron"], 300, (BEGIN, END))
    longer = words.with_token("[DEC]")
    assert len(longer) == len(words) + 1
    assert longer.with_token("[DEC]") is longer
    assert longer.id("[DEC]") == len(words)
    with pytest.raises(TrainError, match=r"has no token \[DEC\]"):
        words.id("[DEC]")


def test_a_vocabulary_that_is_missing_or_unfit_is_refused(tmp_path):
    path = tmp_path / "tokenizer.json"
    with pytest.raises(TrainError, match="no such file"):
        load(path)
    path.write_text("{")
    with pytest.raises(TrainError, match="no JSON"):
        load(path)
    Tokenizer(models.BPE({"a": 0}, [])).save(str(path))
    with pytest.raises(TrainError, match="has no token </s>"):
        load(path).id(END)
