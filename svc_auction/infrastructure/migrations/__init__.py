"""The history of the auction shards' schema."""
