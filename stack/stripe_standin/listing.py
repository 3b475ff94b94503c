"""Lists and searches: newest first, a page at a time."""

import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from stack.stripe_standin.errors import invalid_request, resource_missing
from stack.stripe_standin.form import integer, required
from stack.stripe_standin.store import Store

_LIMIT_DEFAULT = 10
_LIMIT_MAX = 100
_CLAUSE = re.compile(r"""(?:metadata\[['"]([^'"]+)['"]\]|(\w+)):\s*['"]([^'"]*)['"]""")


def list_objects(store: Store, kind: str, query: dict[str, Any], path: str) -> dict[str, Any]:
    """Return a page of a kind's objects, after the one that `starting_after` names."""
    objects: Iterator[dict[str, Any]] = store.newest(kind)
    if wanted := query.get("type"):
        objects = (body for body in objects if body.get("type") == wanted)
    if after := query.get("starting_after"):
        if store.get(kind, after) is None:
            raise resource_missing(kind, after, param="starting_after", status=400)
        objects = itertools.dropwhile(lambda body: body["id"] != after, objects)
        next(objects, None)
    return {"object": "list", "url": path, **_page(objects, query)}


def search_objects(store: Store, kind: str, query: dict[str, Any], path: str) -> dict[str, Any]:
    """Return what fits clauses such as `metadata['order']:'42' AND status:'succeeded'`."""
    text = required(query, "query")
    clauses = [_CLAUSE.fullmatch(clause.strip()) for clause in re.split(r"\s+AND\s+", text)]
    if None in clauses:
        raise invalid_request(f"We were unable to parse your search query: {text}", param="query")
    found = (body for body in store.newest(kind) if all(_fits(body, clause) for clause in clauses))
    return {"object": "search_result", "url": path, "next_page": None, **_page(found, query)}


def _fits(body: dict[str, Any], clause: re.Match[str] | None) -> bool:
    if clause is None:
        return False
    metadata_name, field_name, value = clause.groups()
    found = body["metadata"].get(metadata_name) if metadata_name else body.get(field_name)
    return str(found) == value


def _page(objects: Iterable[dict[str, Any]], query: dict[str, Any]) -> dict[str, Any]:
    limit = integer(query, "limit") if query.get("limit") else _LIMIT_DEFAULT
    if not 1 <= limit <= _LIMIT_MAX:
        raise invalid_request("Limit must be between 1 and 100.", param="limit")
    page = list(itertools.islice(objects, limit + 1))
    return {"data": page[:limit], "has_more": len(page) > limit}
