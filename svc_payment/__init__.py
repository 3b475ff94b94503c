"""The payment service: people's wallets, kept in a double-entry ledger, and the card processor."""
