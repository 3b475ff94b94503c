"""What one can do with auctions: one use case a file."""
