"""Derives the gateway's whole configuration from the contract."""
