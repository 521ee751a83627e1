"""What is said while a model trains: lines for people."""

from curate.cli.train import finish, shown


def test_lines_name_the_step_and_round_every_figure(capsys):
    show = shown(as_json=False)
    show({"event": "step", "step": 2, "steps": 20, "loss": 12.3456789, "losses": {"itc": 4.3562583, "itm": 0.72402866}})
    show({"event": "checkpoint", "step": 7})
    assert capsys.readouterr().err.splitlines() == [
        "step 2 of 20: loss 12.35  losses itc 4.356 itm 0.724",
        "checkpoint: step 7",
    ]


def test_the_last_figures_are_plain_words(capsys):
    finish({"data_versions": ["7bca", "8cdb"], "failed": {}}, as_json=False)
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["data_versions", "7bca,", "8cdb"],
        ["failed", "none"],
    ]
