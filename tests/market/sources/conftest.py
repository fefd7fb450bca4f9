"""One stand-in and one process with akshare in it for a whole run: importing it takes seconds."""

from collections.abc import Iterator

import pytest

from tests.market.sources.standin import Reach, evening, reaching, small_market


@pytest.fixture(scope="session")
def _reach(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reach]:
    with reaching(tmp_path_factory.mktemp("standin")) as found:
        yield found


@pytest.fixture
def reach(_reach: Reach) -> Reach:
    """Return the stand-in as new: the market whole, no faults, no memory of failures."""
    _reach.standin.market = small_market()
    _reach.standin.choose = lambda _: None
    _reach.standin.asked.clear()
    _reach.access.guard._hosts.clear()
    _reach.clock.at = evening()
    _reach.clock.slept.clear()
    return _reach
