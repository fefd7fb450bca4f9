"""What is read of the ledger, and what is said where there is nothing to read."""

from datetime import UTC, datetime

import pytest

from indexer.errors import MissingInputError
from indexer.run.records import published_history
from tests.ledger.chain import appended, entry
from tests.run.desk import DAYS, desk, folder, ledger_url, published


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("pair", "pair: is a study: indexer report pair writes its signals"),
        ("nobody", "nobody: is no index or study that was ever published"),
        ("a/nobody.yaml", "that was ever published: give its id, as nobody"),
    ],
)
def test_what_has_no_history_is_told_why(tmp_path, subject, said):
    appended(desk(tmp_path).engine, entry(kind="study", subject="pair"))

    with pytest.raises(MissingInputError, match=said):
        published_history(ledger_url(tmp_path), subject, None, None)


def test_of_a_variant_before_anything_was_known_there_are_no_rows(tmp_path):
    published(tmp_path, DAYS[0])
    before = datetime(2020, 1, 1, tzinfo=UTC)

    assert published_history(ledger_url(tmp_path), "trio", "gross", before).rows == []


@pytest.mark.parametrize("invented", [True, False])
def test_whether_prices_are_invented_is_told_beside_the_rows(tmp_path, invented):
    market = folder(tmp_path / "m")
    (market / "manifest.yaml").write_text(f"synthetic: {str(invented).lower()}\n", encoding="utf-8")
    published(tmp_path, DAYS[0], market=market)

    assert published_history(ledger_url(tmp_path), "trio", None, None).synthetic == invented
