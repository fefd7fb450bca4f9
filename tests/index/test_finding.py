"""How many names a message gives."""

from indexer.index.finding import shown


def test_a_message_names_five_and_counts_the_rest():
    names = list("abcdefg")

    assert shown(names[:1]) == "a"
    assert shown(names[:5]) == "a, b, c, d, e"
    assert shown(names) == "a, b, c, d, e and 2 more"
