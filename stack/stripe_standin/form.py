"""Stripe's form encoding: `a[b]=c` for objects, `a[]=c` or `a[0]=c` for lists."""

import itertools
import re
from typing import Any
from urllib.parse import parse_qsl

from stack.stripe_standin.errors import invalid_request

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_INDEX = re.compile(r"\[([^\[\]]*)\]")
_PAIRS_MAX = 500


def parse_form(text: str) -> dict[str, Any]:
    """Return the nested parameters; values are strings. Raises StripeError at a malformed key."""
    root: dict[str, Any] = {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_PAIRS_MAX)
    except ValueError as error:
        raise invalid_request("Too many parameters.") from error
    for key, value in pairs:
        match = _KEY.fullmatch(key)
        if match is None:
            raise invalid_request(f"Invalid parameter name: {key}")
        steps = [match[1], *_INDEX.findall(match[2])]
        node = root
        for step, following in itertools.pairwise(steps):
            child = node.setdefault(_name(node, step), {})
            if not isinstance(child, dict):
                raise invalid_request(f"Invalid object: {step} in {following}")
            node = child
        node[_name(node, steps[-1])] = value
    return {name: _with_lists(value) for name, value in root.items()}


def _name(node: dict[str, Any], step: str) -> str:
    """Return the key of a step: an empty one appends to a list."""
    return step or str(len(node))


def _with_lists(node: Any) -> Any:
    """Return the node with every object whose keys are 0, 1, 2 … made a list."""
    if not isinstance(node, dict):
        return node
    values = {key: _with_lists(value) for key, value in node.items()}
    if values and list(values) == [str(index) for index in range(len(values))]:
        return list(values.values())
    return values


def integer(parameters: dict[str, Any], name: str) -> int:
    """Return a required whole number; raise StripeError as the API does when it is none."""
    value = required(parameters, name)
    if not isinstance(value, str) or not re.fullmatch(r"-?\d{1,18}", value):
        raise invalid_request(
            f"Invalid integer: {value}", code="parameter_invalid_integer", param=name
        )
    return int(value)


def required(parameters: dict[str, Any], name: str) -> Any:
    """Return a required parameter; raise StripeError when it is missing or empty."""
    value = parameters.get(name, "")
    if value == "":
        raise invalid_request(
            f"Missing required param: {name}.", code="parameter_missing", param=name
        )
    return value


def boolean(parameters: dict[str, Any], name: str, *, default: bool = False) -> bool:
    """Return a yes or no; raise StripeError at anything else."""
    value = parameters.get(name, "")
    if value == "":
        return default
    if value not in {"true", "false"}:
        raise invalid_request(f"Invalid boolean: {value}", param=name)
    return bool(value == "true")


def refuse_unknown(parameters: dict[str, Any], known: frozenset[str]) -> None:
    """Raise StripeError at the first parameter that the call does not have."""
    for name in parameters:
        if name not in known:
            raise invalid_request(
                f"Received unknown parameter: {name}", code="parameter_unknown", param=name
            )
