"""svc_realtime: streams what happens to those who watch."""
