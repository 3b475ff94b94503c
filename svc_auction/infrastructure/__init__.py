"""Auctions on the wire and in Postgres."""
