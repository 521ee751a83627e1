"""The commands that take samples out of a run again, their options and their help."""

from typing import Annotated

import typer

Run = Annotated[
    str, typer.Argument(metavar="RUN", help="a run directory: a path or any fsspec URL, such as s3://b/run")
]
Json = Annotated[bool, typer.Option("--json", help="print one JSON object, for machines")]
Checkpoints = Annotated[
    list[str],
    typer.Option(metavar="DIR", help="search here, and below, for checkpoints that learned from them; repeatable"),
]


def forget(  # noqa: PLR0913, PLR0917 - each argument is an option
    run: Run,
    url: Annotated[list[str], typer.Option(help="samples that came from this address; repeatable")] = [],  # noqa: B006
    domain: Annotated[
        list[str], typer.Option(metavar="HOST", help="samples from this host and those below it; repeatable")
    ] = [],  # noqa: B006
    key: Annotated[list[str], typer.Option(help="the sample of this key; repeatable")] = [],  # noqa: B006
    text: Annotated[
        list[str], typer.Option(help="samples that say this in a caption, document, transcript or turn; repeatable")
    ] = [],  # noqa: B006
    image: Annotated[
        list[str], typer.Option(metavar="FILE", help="this picture, and what looks the same; repeatable")
    ] = [],  # noqa: B006
    listed: Annotated[
        list[str], typer.Option("--from", metavar="FILE", help="a list of URLs and keys, or lines `kind,value`")
    ] = [],  # noqa: B006
    with_duplicates: Annotated[
        bool, typer.Option("--with-duplicates", help="erase what was dropped as a copy of them too, and theirs")
    ] = False,
    distance: Annotated[
        int, typer.Option(min=0, max=96, help="bits of 256 in which a picture may differ from --image")
    ] = 31,
    any_turn: Annotated[bool, typer.Option("--any-turn", help="find --image mirrored and turned too")] = False,
    request: Annotated[
        str | None, typer.Option(metavar="ID", help="the request's reference, which is published; never a name")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be erased, and stop")] = False,
    as_json: Json = False,
) -> None:
    """Hide samples from every reader at once, those still to be removed included; `curate rewrite` removes them.

    Finds what was published, and in `work` what was dropped or redacted. Exit status 1 if something asked for is
    nowhere; the rest is done. The same request again changes nothing.
    """
    from curate.cli.erase import run_forget

    named = {"url": url, "domain": domain, "key": key, "text": text, "image": image}
    how = {"with_duplicates": with_duplicates, "within": distance, "any_turn": any_turn, "request": request}
    if not run_forget(run, named, listed, how, dry_run=dry_run, as_json=as_json):
        raise typer.Exit(1)


def rewrite(
    run: Run,
    checkpoints: Checkpoints = [],  # noqa: B006 - typer copies it
    as_json: Json = False,
) -> None:
    """Remove for good what was forgotten: shards are written anew where touched, raw copies go, certificates are done.

    Stopped at any moment, the old version stands or the new one; any command on the run finishes it.
    """
    from curate.cli.erase import run_rewrite

    run_rewrite(run, checkpoints, as_json=as_json)


def explain(
    run: Run,
    key: Annotated[str | None, typer.Argument(metavar="[KEY]", help="the sample's key, 32 hex digits")] = None,
    url: Annotated[str | None, typer.Option(help="where the sample came from, in place of its key")] = None,
    as_json: Json = False,
) -> None:
    """Tell one sample's whole story: where it was listed, what each stage did, where it is, whether it was erased."""
    from curate.cli.erase import run_explain

    run_explain(run, key, url, as_json=as_json)


COMMANDS = (forget, rewrite, explain)
