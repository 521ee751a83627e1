"""The commands that look at what filters and edits do, their options and their help."""

from typing import Annotated

import typer

RECIPE_HELP = "the recipe whose filter it is: a YAML file"


def calibrate(  # noqa: PLR0913 - each argument is an option
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help=RECIPE_HELP)],
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="a filter of the recipe, such as toxicity")],
    *,
    labels: Annotated[
        str, typer.Option(metavar="FILE", help="labelled rows with what the filter reads: parquet, csv, tsv, jsonl")
    ],
    risk: Annotated[
        list[str],
        typer.Option(
            metavar="RISK<=SHARE",
            help="a promise: missed (of bad rows, the share that passes), bad_kept (of what passes, the share that is "
            "bad) or false_positive_rate (of good rows, the share that is lost); repeatable, all are kept together",
        ),
    ],
    label: Annotated[
        str, typer.Option(metavar="COLUMN", help="true or 1 of what is bad, false or 0 of what is good")
    ] = "label",
    group: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="promise it in every group of this column")
    ] = None,
    score: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="scores are there: the filter is not opened")
    ] = None,
    bound: Annotated[
        str | None, typer.Option(metavar="NAME", help="at_most or at_least, where a filter has both")
    ] = None,
    column: Annotated[
        list[str], typer.Option(metavar="NAME=COLUMN", help="what the filter reads is called otherwise; repeatable")
    ] = [],  # noqa: B006 - typer copies it
    confidence: Annotated[float, typer.Option(help="that all promises hold on rows nobody labelled")] = 0.95,
    uncertain: Annotated[bool, typer.Option("--uncertain", help="two thresholds: kept, uncertain, dropped")] = False,
    settings: Annotated[
        list[str], typer.Option("--set", metavar="STAGE.OPTION=VALUE", help="change one option of the recipe")
    ] = [],  # noqa: B006 - typer copies it
    seed: Annotated[int, typer.Option(min=0, help="of the draw that bad_kept needs")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object, for machines")] = False,
) -> None:
    """Choose a filter's threshold from labelled rows, so that a promise holds, or say that the labels cannot show it.

    Labelled rows must be drawn at random from what the filter will see (for missed and false_positive_rate: bad and
    good rows each may). Example: --risk 'missed<=0.01' --confidence 0.95.
    """
    from curate.cli.calibrate import Asked, run_calibrate

    asked = Asked(recipe, stage, labels, tuple(risk), label, group, score, bound, tuple(column), confidence, seed)
    run_calibrate(asked, settings, uncertain=uncertain, as_json=as_json)


def audit(  # noqa: PLR0913 - each argument is an option
    run: Annotated[str, typer.Argument(metavar="RUN", help="a finished run: a path or any fsspec URL")],
    *,
    labels: Annotated[
        str | None, typer.Option(metavar="FILE", help="labelled samples, by `key` or by text: errors by group")
    ] = None,
    label: Annotated[
        str, typer.Option(metavar="COLUMN", help="true or 1 of what is bad, false or 0 of what is good")
    ] = "label",
    judged: Annotated[
        list[str], typer.Option(metavar="STAGE", help="a filter that the labels speak of; repeatable  [default: all]")
    ] = [],  # noqa: B006 - typer copies it
    confidence: Annotated[float, typer.Option(help="of every interval and bound")] = 0.95,
    at_least: Annotated[int, typer.Option(min=1, help="samples of a group, or it is not told of")] = 30,
    swaps: Annotated[int, typer.Option(min=0, help="captions a category to exchange identity terms in; 0: none")] = 100,
    sample: Annotated[int, typer.Option(min=0, help="published samples to look through again; 0: none")] = 1000,
    score_at_least: Annotated[float, typer.Option(min=0, max=1, help="of detectors that look again")] = 0.2,
    review: Annotated[
        str | None, typer.Option(metavar="FILE", help="write the sample for people to read, in clear: a jsonl")
    ] = None,
    reviewed: Annotated[str | None, typer.Option(metavar="FILE", help="read what people found in it")] = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="write everything as one HTML page")] = None,
    every: Annotated[bool, typer.Option("--all", help="print every line of every table")] = False,
    seed: Annotated[int, typer.Option(min=0, help="of every random sample")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object, for machines")] = False,
) -> None:
    """Say of a finished run whom each stage leaves out, what its filters think of names of groups, and what is left.

    Groups are told by language, identity terms, features of a dialect, source and picture. Works on a purged run too,
    and says what cannot be told of it. Opens the recipe's filters and edits here, never the network.
    """
    from curate.audit.report import Looking
    from curate.cli.audit import run_audit

    how = Looking(
        confidence, at_least, seed, swaps, sample, score_at_least, tuple(judged), review=review, reviewed=reviewed
    )
    given = None if labels is None else (labels, label)
    run_audit(run, how, given, out, every=every, as_json=as_json)


def contamination(
    run: Annotated[str, typer.Argument(metavar="RUN", help="a finished run: a path or any fsspec URL")],
    *,
    examples: Annotated[int, typer.Option(min=0, help="samples to name of each item, those that held most of it")] = 3,
    every: Annotated[bool, typer.Option("--all", help="print every item that was held")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object, for machines")] = False,
) -> None:
    """Say which items of evaluation sets the samples of a run held, and which are in what it published.

    Reads what `decontaminate` measured, of a purged run too; the evaluation sets must be where the recipe says, and as
    they were.
    """
    from curate.cli.contamination import run_contamination

    run_contamination(run, examples, every=every, as_json=as_json)


COMMANDS = (calibrate, audit, contamination)
