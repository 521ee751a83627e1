"""What a promise says, and how it is written."""

import numpy as np
import pytest

from curate.audit.promise import Promise
from curate.errors import InputError


@pytest.mark.parametrize(("text", "risk", "share"), [
    ("missed<=0.01", "missed", 0.01), (" bad_kept <= 1% ", "bad_kept", 0.01),
    ("false_positive_rate<=2e-2", "false_positive_rate", 0.02),
])  # fmt: skip
def test_it_reads(text, risk, share):
    assert Promise.of(text) == Promise(risk, pytest.approx(share))


@pytest.mark.parametrize(("text", "told"), [
    ("misse<=0.01", "Did you mean 'missed'?"), ("missed<0.01", "--risk 'missed<=0.01'"),
    ("missed<=0", "between 0 and 1"), ("missed<=100%", "between 0 and 1"), ("missed<=.", "between 0 and 1"),
])  # fmt: skip
def test_it_refuses(text, told):
    with pytest.raises(InputError, match=told.replace("?", r"\?")):
        Promise.of(text)


def test_counts_are_of_what_the_risks_are_defined_by():
    kept_bad, kept_good, all_bad, all_good = (np.array([[n]]) for n in (3, 80, 10, 90))

    def counted(risk):
        errors, trials = Promise(risk, 0.1).counts(kept_bad, kept_good, all_bad, all_good)
        return int(errors[0, 0]), int(trials[0, 0])

    assert counted("missed") == (3, 10)
    assert counted("bad_kept") == (3, 83)
    assert counted("false_positive_rate") == (10, 90)
