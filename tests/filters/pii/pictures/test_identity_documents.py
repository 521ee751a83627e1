"""Pictures of documents are dropped with their kind; others, and samples without a picture, stay."""

import pyarrow as pa
import pytest
from drawn import encoded, sheet
from PIL import Image

from filters.pii.pictures.identity_documents import IdentityDocuments

pytestmark = pytest.mark.slow
PASSPORT = ("PASSPORT UTOPIA", "Surname ERIKSSON", "Date of birth 12 AUG 1974", "Nationality UTOPIAN")


def judged(*images):
    stage = IdentityDocuments()
    table = pa.table({"image": pa.array(images, pa.large_binary())})
    scores = pa.table(list(stage.open()(table)), schema=pa.schema(stage.writes))
    return scores["identity_document"].to_pylist(), scores.column(1).to_pylist(), stage.decide(scores).to_pylist()


def test_a_passport_goes_and_a_sign_stays():
    passport = sheet(*PASSPORT, size=(760, 260))
    sign = sheet("STOP", "Main Street", "Parking 9-5")
    scores, kinds, reasons = judged(encoded(passport), encoded(sign, "JPEG"), None, encoded(passport.rotate(180)))
    assert kinds == ["passport", None, None, "passport"]
    assert reasons == ["above_at_most", None, None, "above_at_most"]
    assert scores[1:3] == [0, 0]


def test_a_picture_without_writing_scores_nothing_and_a_broken_one_is_not_measured():
    scores, kinds, _ = judged(encoded(Image.new("RGB", (300, 200), "green")), b"no picture", b"")
    assert scores == [0, None, None]
    assert kinds == [None, None, None]


def test_rows_of_a_table_without_rows():
    assert judged() == ([], [], [])
