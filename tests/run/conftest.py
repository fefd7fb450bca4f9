"""The stand-in of the sources' tests, for the use cases above them."""

from tests.market.sources.conftest import _reach, reach

__all__ = ["_reach", "reach"]
