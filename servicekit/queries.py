"""SQL lives in ``.sql`` files, where every query has a name and a sentence that describes it."""

import re
from importlib.resources import files
from types import MappingProxyType
from typing import LiteralString, cast

Queries = MappingProxyType[str, LiteralString]

_HEADING = re.compile(r"^-- name: ([a-z0-9_]+)\n((?:-- .*\n)+)", re.MULTILINE)


class QueryFileError(Exception):
    """A file of queries does not have the form that ``load`` describes."""


def load(package: str, file_name: str) -> Queries:
    """Return the queries of a file by name.

    Each starts with ``-- name: lock_books`` and at least one comment line that describes it.
    """
    text = files(package).joinpath(file_name).read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    if len(headings) != text.count("-- name:"):
        raise QueryFileError(f"{package}/{file_name}: a query lacks its name or description")
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    queries = {
        heading.group(1): text[heading.end() : end].strip().rstrip(";")
        for heading, end in zip(headings, ends, strict=True)
    }
    if len(queries) != len(headings):
        raise QueryFileError(f"{package}/{file_name}: two queries share a name")
    # The text is a file of this program's own: as trustworthy as a literal.
    return MappingProxyType(cast("dict[str, LiteralString]", queries))
