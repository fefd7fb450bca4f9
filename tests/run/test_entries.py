"""What would be published of an index, before anybody asks for it."""

from datetime import timedelta

import pytest

from tests.run.desk import DAYS, basket, candidate, folder


def test_of_a_day_without_session_there_is_no_entry(tmp_path):
    basket(tmp_path)
    folder(tmp_path / "market")

    with pytest.raises(ValueError, match="trio has no session 2026-04-01"):
        candidate(tmp_path).entry(DAYS[-1] + timedelta(days=1))
