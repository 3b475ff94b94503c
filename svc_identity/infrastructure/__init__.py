"""The contract's handlers, the database, the hashing of passwords and the signing of tokens."""
