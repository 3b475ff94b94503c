"""Planned misbehaviour: what the next calls and webhooks suffer, set through the control door.

`POST /_control` takes a JSON object: `{"calls": {"fault": "error", "status": 500, "count": 2}}`,
`{"calls": {"fault": "delay", "seconds": 1.5, "count": 1, "when": "after"}}`, `{"calls": {"fault":
"timeout", "count": 1}}`, `{"webhooks": {"duplicates": 3, "delay_s": 2}}` or `{"reset": true}`.
`when` says whether the call takes effect: `before` (it does not) or `after` (it did).
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

_FAULTS = frozenset({"delay", "timeout", "error"})
_MOMENTS = frozenset({"before", "after"})
_ERROR_STATUSES = frozenset({409, 429, 500, 502, 503})


class FaultRefused(ValueError):
    """The control door was asked for a fault that does not exist."""


@dataclass(frozen=True)
class CallFault:
    """What one call suffers; a `timeout` is never answered."""

    fault: Literal["delay", "timeout", "error"]
    when: Literal["before", "after"] = "before"
    status: int = 500
    seconds: float = 1.0


@dataclass
class WebhookFaults:
    """What webhooks suffer: a delay each, and the next few are sent twice."""

    delay_s: float = 0.0
    duplicates: int = 0

    def take_duplicate(self) -> bool:
        """Tell whether this webhook is sent twice."""
        if self.duplicates == 0:
            return False
        self.duplicates -= 1
        return True


@dataclass
class Faults:
    """The plan; empty, everything works."""

    calls: list[CallFault] = field(default_factory=list)
    webhooks: WebhookFaults = field(default_factory=WebhookFaults)

    def take_call_fault(self) -> CallFault | None:
        """Take the fault that the call now arriving suffers."""
        return self.calls.pop(0) if self.calls else None

    def plan(self, request: dict[str, Any]) -> None:
        """Change the plan as a control request says; raise FaultRefused at what is unknown."""
        if unknown := set(request) - {"calls", "webhooks", "reset"}:
            raise FaultRefused(f"Unknown: {', '.join(sorted(unknown))}.")
        if request.get("reset"):
            self.calls.clear()
            self.webhooks = WebhookFaults()
        if "calls" in request:
            self._plan_calls(dict(request["calls"]))
        if "webhooks" in request:
            try:
                self.webhooks = WebhookFaults(**request["webhooks"])
            except TypeError as error:
                raise FaultRefused(str(error)) from error

    def describe(self) -> dict[str, Any]:
        """Return the plan as JSON."""
        return asdict(self)

    def _plan_calls(self, request: dict[str, Any]) -> None:
        count = int(request.pop("count", 1))
        try:
            fault = CallFault(**request)
        except TypeError as error:
            raise FaultRefused(str(error)) from error
        if fault.fault not in _FAULTS or fault.when not in _MOMENTS:
            raise FaultRefused("A fault is delay, timeout or error, before or after the effect.")
        if fault.status not in _ERROR_STATUSES:
            raise FaultRefused(f"Status {fault.status} is none that Stripe fails with.")
        self.calls += [fault] * count
