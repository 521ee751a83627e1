"""Words of captions: what the Java tokeniser of the COCO evaluation printed for the same captions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.train.scores.words import words

PRINTED = {  # by pycocoevalcap 1.2, Stanford CoreNLP 3.4.1
    "A man (with a hat) isn't here.": "a man -lrb- with a hat -rrb- is n't here",
    "I don't can't won't cannot gonna gotta wanna lemme gimme 'tis 'twas": (
        "i do n't ca n't wo n't can not gon na got ta wan na lem me gim me 't is 't was"
    ),
    "Don\u2019t use \u201ccurly\u201d quotes \u2018here\u2019 \u2014 em\u2013dash": (
        "do n't use curly quotes here em dash"
    ),
    "the dog's bone, the dogs' bones; he'll she'd they've I'm we're": (
        "the dog 's bone the dogs bones he 'll she 'd they 've i 'm we 're"
    ),
    "well-known state-of-the-art -- a-b--c - d -x": "well-known state-of-the-art a-b c d x",
    "$5.00 costs 3,000 dollars 50% off #1 a & b a/b and/or": "$ 5.00 costs 3,000 dollars 50 % off # 1 a & b a/b and/or",
    "U.S. Mr. Smith went to St. Louis. e.g. i.e. etc. at 5 p.m.": (
        "u.s. mr. smith went to st. louis e.g. i.e. etc. at 5 p.m."
    ),
    "http://www.example.com/a?b=c foo@bar.com": "http://www.example.com/a?b=c foo@bar.com",
    "\"quoted\" ''double'' `tick` ``two''": "quoted double tick two",
    "[brackets] {braces} <tag> a*b x_y @user": "-lsb- brackets -rsb- -lcb- braces -rcb- <tag> a * b x_y @user",
    "wait... what?! no!! yes..end. end.of a.b.c": "wait what ?! no !! yes end end.of a.b.c",
    "rock 'n' roll '90s 90's 1990s o'clock ma'am y'all": "rock 'n' roll '90s 90 's 1990s o'clock ma'am y' all",
    "café naïve 日本語 東京 emoji 😀 ok": "café naïve 日本語 東京 emoji ok",
    "£5 €5 5¢ US$5 .5 -5 5-10 10:30": "# 5 $ 5 5 cents us$ 5 .5 -5 5-10 10:30",
    "a ball. no. 5": "a ball no. 5",
    "She said no. I left at 12/25/2000": "she said no i left at 12/25/2000",
    "½ cup": "1/2 cup",
    "A cat;a dog:a,b": "a cat a dog a b",
}


@pytest.mark.parametrize("caption", PRINTED)
def test_words_are_what_the_evaluation_of_coco_counts(caption):
    assert words(caption) == PRINTED[caption].split()


def test_nothing_but_punctuation_has_no_words():
    assert words("... -- '' `` . , ; : ! ?") == []
    assert words("") == []


@given(st.text())
def test_any_text_gives_words_without_space(text):
    assert all(word and not any(letter.isspace() for letter in word) for word in words(text))


@given(st.lists(st.from_regex(r"[a-z]{2,9}", fullmatch=True).filter(lambda w: words(w) == [w])))
def test_space_and_punctuation_between_plain_words_change_nothing(plain):
    assert words(" ,  ".join(plain) + "!") == plain
