"""What the rules for pixels are, as a factor and an offset a channel."""

import numpy as np
import pytest

from squeezenet_mcu.convert.keras_front import pixels

X = np.array([[[[0, 100, 255], [255, 3, 128]]]], np.uint8)  # red, green, blue
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
VALUES = {
    "byte": X * 1.0,
    "unit": X / 255,
    "tf": X / 127.5 - 1,
    "torch": (X / 255 - MEAN) / STD,
    "caffe": X[..., ::-1] - np.array([104.0, 117.0, 123.0]),
    "mean=10:20:30,std=2": (X - np.array([10, 20, 30])) / 2,
}


@pytest.mark.parametrize("text", VALUES)
def test_rules(text):
    found = pixels.of_rule(text, 3, "")
    np.testing.assert_allclose(found.values(X), VALUES[text], rtol=1e-6, atol=1e-6)
    if not found.bgr:  # and said as a free rule it is the same one
        np.testing.assert_allclose(pixels.of_rule(found.text, 3, "").values(X), VALUES[text], atol=1e-5)
