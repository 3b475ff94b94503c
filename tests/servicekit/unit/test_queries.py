from pathlib import Path

import pytest

from servicekit.queries import QueryFileError, load

GOOD = """\
-- What this file is about.

-- name: first_thing
-- Finds the first.
-- In two lines.
select 1;

-- name: second_thing
-- Finds the second; with a comment in it.
select 2 -- two
from things;
"""


def loaded(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> dict[str, str]:
    name = folder.name.replace("-", "_")  # another one in every test
    package = folder / name
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "queries.sql").write_text(text)
    monkeypatch.syspath_prepend(folder)
    return dict(load(name, "queries.sql"))


def test_queries_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(tmp_path, monkeypatch, GOOD) == {
        "first_thing": "select 1",
        "second_thing": "select 2 -- two\nfrom things",
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("-- name: nothing_said\nselect 1;\n", "description"),
        ("-- name: Bad-Name\n-- Finds.\nselect 1;\n", "name or description"),
        ("-- name: twice\n-- A.\nselect 1;\n-- name: twice\n-- B.\nselect 2;\n", "share a name"),
    ],
)
def test_a_file_without_names_or_sentences_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, problem: str
) -> None:
    with pytest.raises(QueryFileError, match=problem):
        loaded(tmp_path, monkeypatch, text)


@pytest.mark.parametrize(
    ("package", "name", "count_min"),
    [
        ("svc_auction.infrastructure", "queries.sql", 15),
        ("svc_auction.infrastructure", "bids.sql", 8),
        ("svc_auction.infrastructure", "holds.sql", 4),
        ("servicekit.events", "relay.sql", 1),
    ],
)
def test_the_files_of_this_repository_can_be_loaded(
    package: str, name: str, count_min: int
) -> None:
    assert len(load(package, name)) >= count_min
