"""A text corpus from real pages of several languages, made from a web archive and from jsonl.

`python -m curate.demo.text` takes the pages of two manuals that Debian carries in many languages, writes the one as
WARC and the other as jsonl, runs `pipelines/text_warc.yaml` and `pipelines/text.yaml` on them, says what was kept and
dropped, why and in which language, and checks that a second run gives the same bytes.
"""
