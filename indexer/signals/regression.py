"""Least squares without LAPACK, which adds up in an order that goes by the processor."""

from typing import NamedTuple

import numpy as np

from indexer.arrays import AnyArray, Mask, dot

SINGULAR = 1e-12  # share of a sum of squares below which what is left of it is rounding


class Decomposition(NamedTuple):
    """Series swept out of those after them; see `gram_schmidt`."""

    parts: AnyArray
    left: AnyArray
    sound: Mask


def gram_schmidt(series: AnyArray) -> Decomposition:
    """Sweep each of (..., k, n) series out of those after it.

    Returns
    -------
    parts : (..., k, k) what a series has of each one before, as the root of its squares; of itself
        the root of what is left
    left : (..., k, n) what is left of each, the residuals of least squares on those before it
    sound : (..., k) whether that is more than rounding; what is not is swept out of nothing

    Notes
    -----
    Modified Gram-Schmidt, with the regressed one as the last series: backward stable (Bjorck 1967,
    "Solving linear least squares problems by Gram-Schmidt orthogonalization", BIT 7). The upper
    triangle of ``parts`` is R of the QR decomposition, so that the last of k - 1 coefficients is
    ``parts[k - 2, k - 1] / parts[k - 2, k - 2]``.
    """
    left, count = series.copy(), series.shape[-2]
    parts = np.zeros((*series.shape[:-1], count))
    sound = np.zeros(series.shape[:-1], dtype=bool)
    for k in range(count):
        own = dot(left[..., k, :], left[..., k, :])
        sound[..., k] = own > SINGULAR * dot(series[..., k, :], series[..., k, :])
        parts[..., k, k] = np.sqrt(own)
        unit = left[..., k, :] / np.where(sound[..., k], parts[..., k, k], np.inf)[..., None]
        after = left[..., k + 1 :, :]
        parts[..., k, k + 1 :] = dot(after, unit[..., None, :])
        after -= parts[..., k, k + 1 :, None] * unit[..., None, :]
    return Decomposition(parts, left, sound)
