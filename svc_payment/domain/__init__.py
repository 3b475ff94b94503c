"""The wallet's rules: accounts, transfers that sum to zero, and a deposit's states."""
