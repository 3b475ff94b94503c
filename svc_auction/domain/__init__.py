"""The rules of auctions, pure: no clock, no database, no wire."""
