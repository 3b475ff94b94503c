"""Auctions: created and started by sellers, bid on by people, ended on time."""
