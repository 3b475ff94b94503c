"""A stand-in of Stripe's HTTP API: what a wallet deposit needs, with its idempotency and webhooks.

Follows the public API reference in shapes, statuses and error codes, and remembers across restarts.
"""
