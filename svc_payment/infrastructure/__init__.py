"""The wallet's outside: gRPC, Postgres and Stripe."""
