"""Market data that cannot be passed on, in `shared/` beside the checkout; what needs them skips."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
COMPUTE, SSE50 = SHARED / "market" / "compute", SHARED / "market" / "sse50"
real = pytest.mark.skipif(not SHARED.is_dir(), reason=f"no market data to try it on at {SHARED}")
