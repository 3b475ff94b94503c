"""``python -m svc_realtime``: serve (the default) or migrate, which has nothing to do here."""

from servicekit.main import Service, main
from svc_realtime.settings import RealtimeSettings
from svc_realtime.wiring import wire

SERVICE = Service(name="realtime", settings=RealtimeSettings, wire=wire)

if __name__ == "__main__":
    main(SERVICE)
