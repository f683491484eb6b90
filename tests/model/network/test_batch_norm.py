"""Batch norm as a factor and an offset: the right numbers, rounded once, and no others in the .tflite."""

from decimal import Decimal, localcontext

import numpy as np

from squeezenet_mcu.common import files
from squeezenet_mcu.model.card.publish import ZOO
from squeezenet_mcu.model.network import to_tflite
from squeezenet_mcu.model.network.batch_norm import Norm

CHANNELS = 500


def some_norm() -> Norm:
    rng = np.random.default_rng(3)
    gamma, beta, mean = rng.normal(size=(3, CHANNELS)).astype(np.float32)
    variance = np.exp(rng.uniform(-20, 5, CHANNELS)).astype(np.float32)
    return Norm(gamma, beta, mean, variance, 1e-3)


def test_every_factor_and_offset_is_the_float32_nearest_to_the_exact_one():
    norm = some_norm()
    factor, offset = norm.affine()
    assert factor.dtype == offset.dtype == np.float32
    with localcontext() as context:
        context.prec = 60
        for i in range(CHANNELS):
            gamma, beta, mean, variance = (
                Decimal(float(of[i])) for of in (norm.gamma, norm.beta, norm.mean, norm.variance)
            )
            exact = gamma / (variance + Decimal(norm.epsilon)).sqrt()
            assert factor[i] == np.float32(float(exact))
            assert offset[i] == np.float32(float(beta - mean * exact))


def test_no_batch_norm_is_left_to_tensorflow():
    """It would be computed at conversion, by an estimate of the root that differs between processors."""
    tflite = to_tflite.to_int8_tflite(to_tflite.load_quantized(ZOO / "digits" / "quantized.keras"))
    assert b"FusedBatchNorm" not in tflite and b"_bn/" in tflite


def test_a_conversion_leaves_the_model_as_it_was():
    model = to_tflite.load_quantized(ZOO / "digits" / "quantized.keras")
    before = [weight.copy() for weight in model.get_weights()]
    first = to_tflite.to_int8_tflite(model)
    for was, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)
    assert files.sha256(to_tflite.to_int8_tflite(model)) == files.sha256(first)
