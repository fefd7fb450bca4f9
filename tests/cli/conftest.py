"""The command line as it is run in an empty folder."""

import pytest

from indexer.cli.app import main


@pytest.fixture
def indexer(tmp_path, monkeypatch, capfd):
    """Return a way to run the command line in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["indexer", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        return (stopped.value.code or 0, *capfd.readouterr())

    return run
