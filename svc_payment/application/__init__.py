"""What the wallet does, one use case a file."""
