"""The quicker encoder against the same network as transformers runs it."""

import copy

import numpy as np
import pytest
import tiny_detoxify
import torch

from filters.toxicity.first_token import only_first_token
from filters.toxicity.packed import pack


@pytest.fixture(params=["bert", "roberta"])
def network(request, tmp_path):
    return tiny_detoxify.encoder(tmp_path, kind=request.param)


INPUTS = {
    "input_ids": torch.tensor([[2, 5, 6, 7, 3], [2, 9, 3, 0, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
}


@torch.inference_mode()
def logits(network):
    return network(**INPUTS).logits.float().numpy()


def test_same_logits_and_no_plain_layer_left(network):
    expected = logits(network)
    assert np.ptp(expected, axis=0).min() > 1e-3
    packed = pack(copy.deepcopy(network), "float32")
    np.testing.assert_allclose(logits(packed), expected, atol=1e-5)
    assert not any(isinstance(part, torch.nn.Linear) for part in packed.modules())


def test_gelu_is_fused_only_where_it_is_the_exact_one(network):
    network.config.hidden_act = "gelu_new"
    other = type(network)(network.config).eval()
    expected = logits(other)
    packed = pack(other, "float32")
    np.testing.assert_allclose(logits(packed), expected, atol=1e-5)


def test_last_layer_computes_its_first_token_alone(network):
    expected = logits(network)
    only_first_token(network)
    seen = []
    network.base_model.encoder.layer[-1].register_forward_hook(lambda *told: seen.append(told[2].shape))
    np.testing.assert_allclose(logits(network), expected, atol=1e-5)
    assert seen == [(2, 1, 16)]


def test_encoder_of_another_form_is_left_alone(network):
    last = network.base_model.encoder.layer[-1]
    del last.intermediate
    only_first_token(network)
    assert network.base_model.encoder.layer[-1] is last
