"""Real auctions of the past, bid by bid, through the gateway of a running mesh."""
