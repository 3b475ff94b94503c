"""``python -m svc_payment``: ``serve`` (the default), ``migrate`` or ``verify-ledger``."""

from servicekit.main import main
from svc_payment.wiring import SERVICE

main(SERVICE)
