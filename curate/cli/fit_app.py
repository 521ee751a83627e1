"""The commands that fit small models on a user's own files, their options and their help."""

from typing import Annotated

import typer

from curate.fit.quality import Recipe

app = typer.Typer(
    name="fit", no_args_is_help=True, rich_markup_mode=None, help="Fit a small model on two sets of your own documents."
)
_DCLM = Recipe()


@app.command()
def quality(  # noqa: PLR0913 - each argument is an option
    *,
    good: Annotated[list[str], typer.Option(metavar="FILE", help="good documents: jsonl, parquet, txt; repeatable")],
    bad: Annotated[list[str], typer.Option(metavar="FILE", help="bad or any documents; repeatable")],
    out: Annotated[str, typer.Option(metavar="MODEL.bin", help="the model; its card is put beside it, as .json")],
    good_column: Annotated[str, typer.Option(metavar="NAME", help="the texts of jsonl and parquet")] = "text",
    bad_column: Annotated[str, typer.Option(metavar="NAME", help="the texts of jsonl and parquet")] = "text",
    good_label: Annotated[str, typer.Option(metavar="NAME", help="what the model calls the good")] = "hq",
    bad_label: Annotated[str, typer.Option(metavar="NAME", help="what the model calls the bad")] = "cc",
    held_out: Annotated[float, typer.Option(min=0.01, max=0.9, help="share to measure on")] = _DCLM.held_out,
    unbalanced: Annotated[bool, typer.Option("--unbalanced", help="learn from all of the larger side too")] = False,
    learning_rate: Annotated[float, typer.Option(min=1e-6, max=10)] = _DCLM.learning_rate,
    epochs: Annotated[int, typer.Option(min=1)] = _DCLM.epochs,
    dim: Annotated[int, typer.Option(min=1, help="numbers a word")] = _DCLM.dim,
    word_ngrams: Annotated[int, typer.Option(min=1, max=5, help="words that count together")] = _DCLM.word_ngrams,
    min_count: Annotated[int, typer.Option(min=1, help="of a word, or it is not learned")] = _DCLM.min_count,
    buckets: Annotated[int, typer.Option(min=1, help="rows for word n-grams: 4 x dim bytes each")] = _DCLM.buckets,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="of the split and of learning")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print the card, for machines")] = False,
) -> None:
    """Fit the classifier that `fasttext_quality` reads, as DCLM does, and say how well it does on held-out documents.

    It learns whatever tells the two sides apart, a file format or a topic included. What it keeps is to be looked at.
    """
    from curate.cli.fit import run_fit_quality
    from curate.fit import Side

    sides = (Side(good_label, tuple(good), good_column), Side(bad_label, tuple(bad), bad_column))
    recipe = Recipe(held_out, seed, not unbalanced, learning_rate, epochs, dim, word_ngrams, min_count, buckets)
    run_fit_quality(sides, out, recipe, as_json=as_json)
