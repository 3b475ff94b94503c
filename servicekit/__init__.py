"""What every service runs on: calls, contracts, databases and events. It knows no business word."""
