"""Requests are checked against the rules that stand in the contract (protovalidate)."""

from collections.abc import Callable
from typing import Any

import protovalidate
from google.protobuf.message import Message

from servicekit.errors import FieldViolation, InvalidRequest

_validator = protovalidate.Validator()


def validator_of(request_class: type[Message]) -> Callable[[Message], None] | None:
    """Return the check of a request class, or None where its contract has no rule of ours.

    The check raises ``InvalidRequest`` with a violation for each field that breaks a rule.
    """
    if request_class.DESCRIPTOR.file.package.startswith("google."):
        return None
    return validate


def validate(request: Message) -> None:
    """Raise ``InvalidRequest`` if the message breaks a rule of its contract."""
    try:
        _validator.validate(request)
    except protovalidate.ValidationError as error:
        raise InvalidRequest([_to_field_violation(v) for v in error.violations]) from None


def _to_field_violation(violation: Any) -> FieldViolation:
    path = ""
    for element in violation.proto.field.elements if violation.proto.field else ():
        path += ("." if path else "") + element.field_name
        index = element.subscript
        if index is not None and getattr(index, "field", None) == "index":
            path += f"[{index.value}]"
    return FieldViolation(
        field=path, rule_id=violation.proto.rule_id, description=violation.proto.message
    )
