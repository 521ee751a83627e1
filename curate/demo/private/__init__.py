"""Pairs of pictures, captions and speech with hundreds of made-up personal values, and a search for every one of them.

`python -m curate.demo.private` writes them, finds all of them, runs `pipelines/private_pairs.yaml`, and finds none.
"""
