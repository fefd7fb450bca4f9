"""What is read of the ledger, and what is said where there is nothing to read."""

import pytest

from indexer.errors import MissingInputError
from indexer.run.records import published_history
from tests.ledger.chain import appended, entry
from tests.run.desk import desk, ledger_url


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("pair", "pair: is a study: indexer report pair writes its signals"),
        ("nobody", "nobody: is no index or study that was ever published"),
    ],
)
def test_what_has_no_history_is_told_why(tmp_path, subject, said):
    appended(desk(tmp_path).engine, entry(kind="study", subject="pair"))

    with pytest.raises(MissingInputError, match=said):
        published_history(ledger_url(tmp_path), subject, None, None)
