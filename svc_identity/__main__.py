"""Runs svc_identity: ``python -m svc_identity [serve | migrate | link-accounts | rotate-keys]``."""

from servicekit.main import main
from svc_identity.wiring import SERVICE

if __name__ == "__main__":
    main(SERVICE)
