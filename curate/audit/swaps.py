"""Counterfactual swaps: does a filter decide otherwise because a text names other people?

Source: Dixon et al. (2018), "Measuring and Mitigating Unintended Bias in Text Classification", AIES (templates); Garg
et al. (2019), "Counterfactual Fairness in Text Classification through Robustness", arXiv:1809.10610 (the same text
with one identity term in place of another). In each text every term of a category takes the place of the one that
stands there, so that only the term differs. A term's shift is its score less the mean over its category in that text.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from curate.audit.lexicon import Term, filled, identity_terms, mentions, swapped, templates
from curate.audit.measuring import BOUNDS, compared, measure, offline
from curate.audit.published import TEXT_COLUMNS
from curate.audit.rates import Share
from curate.errors import InputError
from curate.run.opened import FAILED
from curate.sample import COLUMNS
from curate.stage import Filter


@dataclass(frozen=True)
class SwapLine:
    """What a term does to a filter, in texts that differ in nothing else."""

    stage: str
    texts: str
    """`captions` of the run, or `templates`."""
    category: str
    term: str
    contexts: int
    shift: float
    shift_low: float
    shift_high: float
    dropped: Share
    """Of the texts with this term, those that the filter drops."""
    to_dropped: int
    """Texts that are kept as they are written (templates: without a term) and dropped with this term."""
    to_kept: int
    has_model: bool
    """Whether the filter judges by a model; one that counts words is moved by a term of two."""


@dataclass(frozen=True)
class Context:
    """A text and what it becomes with each term of a category."""

    category: str
    original: str
    variants: tuple[str, ...]


def over_text(stages: Sequence[Filter]) -> list[Filter]:
    """Return the filters that read texts and nothing else, without second judges that are asked over the network."""
    return [
        offline(s) for s in stages if set(s.inputs()) <= set(TEXT_COLUMNS) and set(s.inputs()) & {"caption", "text"}
    ]


@dataclass
class Chosen:
    """A random sample of texts that mention a term, the same for the same seed, in memory for `most` a category."""

    most: int
    random: np.random.Generator
    found: dict[str, list[tuple[float, str, Term]]]

    @classmethod
    def begin(cls, most: int, seed: int) -> "Chosen":
        """Begin with none."""
        return cls(most, np.random.default_rng(seed), {})

    def offer(self, texts: pa.Array) -> None:
        """Look through n texts; each distinct one that mentions a term that can be exchanged has the same chance."""
        distinct = texts.drop_null().unique()
        for term, hit in mentions(distinct):
            rows = [text for text in distinct.filter(pa.array(hit)).to_pylist() if term.exchangeable.search(text)]
            chances = self.random.random(len(rows)).tolist()
            pool = self.found.get(term.category, []) + [(c, t, term) for c, t in zip(chances, rows, strict=True)]
            self.found[term.category] = sorted(pool, key=lambda entry: entry[:2])[: self.most]

    def contexts(self) -> list[Context]:
        """Return the chosen texts with their variants."""
        return [
            Context(category, text, tuple(swapped(text, term, other.word) for other in _terms(category)))
            for category, pool in sorted(self.found.items())
            for _, text, term in pool
        ]


def template_contexts() -> list[Context]:
    """Return every template with every term of each category; the original has none."""
    return [
        Context(category, filled(template, ""), tuple(filled(template, term.word) for term in _terms(category)))
        for category in sorted({t.category for t in identity_terms()})
        for template in templates()
    ]


def _terms(category: str) -> list[Term]:
    return [t for t in identity_terms() if t.category == category]


def swap_lines(stage: Filter, texts: str, contexts: Sequence[Context], confidence: float) -> list[SwapLine]:
    """Score every variant with the filter, opened here.

    Raises:
        ModelError: its weights are not here.
    """
    spelled = list(dict.fromkeys(text for c in contexts for text in (c.original, *c.variants)))
    if not spelled:
        return []
    numbers, dropped = _judged(stage, spelled)
    at = {text: i for i, text in enumerate(spelled)}
    lines, learned = [], bool(stage.models())
    for category in dict.fromkeys(c.category for c in contexts):
        own = [c for c in contexts if c.category == category]
        places = np.array([[at[v] for v in c.variants] for c in own])
        before = dropped[[at[c.original] for c in own]]
        shifts = numbers[places] - numbers[places].mean(axis=1, keepdims=True)
        for column, term in enumerate(_terms(category)):
            after = dropped[places[:, column]]
            mean, low, high = _mean(shifts[:, column], confidence)
            share = Share.counted(int(after.sum()), len(own), confidence)
            flips = int((after & ~before).sum()), int((before & ~after).sum())
            lines.append(
                SwapLine(stage.name, texts, category, term.word, len(own), mean, low, high, share, *flips, learned)
            )
    return lines


def _judged(stage: Filter, texts: Sequence[str]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return float64[n], what the filter compares or else its first number, and bool[n], whether it drops."""
    names = stage.inputs()
    given = next(n for n in ("caption", "text") if n in names)
    columns = {n: texts if n == given else [None] * len(texts) for n in names}
    scores = measure(stage, pa.table({n: pa.array(column, COLUMNS.field(n).type) for n, column in columns.items()}))
    reasons = stage.decide(scores.select([f.name for f in stage.outputs()]))
    dropped = np.asarray(reasons.is_valid().to_numpy(zero_copy_only=False))
    dropped |= np.asarray(scores[FAILED.name].combine_chunks().is_valid().to_numpy(zero_copy_only=False))
    return _number(stage, scores), dropped


def _number(stage: Filter, scores: pa.Table) -> npt.NDArray[np.float64]:
    for bound in (b for b in BOUNDS if getattr(stage, b, None) is not None):
        try:
            return compared(stage, bound, scores)
        except InputError:
            continue
    numeric = [c for c in scores.columns if pa.types.is_floating(c.type) or pa.types.is_integer(c.type)]
    return np.asarray(numeric[0].cast(pa.float64()).to_numpy()) if numeric else np.zeros(len(scores))


def _mean(values: npt.NDArray[np.float64], confidence: float) -> tuple[float, float, float]:
    """Return the mean and Student's interval; values that could not be measured are left out."""
    from scipy.stats import t

    there = values[~np.isnan(values)]
    mean = float(there.mean()) if len(there) else 0.0
    spread = float(there.std(ddof=1)) / len(there) ** 0.5 if len(there) > 1 else 0.0
    reach = float(t.ppf((1 + confidence) / 2, max(len(there) - 1, 1))) * spread
    return mean, mean - reach, mean + reach
