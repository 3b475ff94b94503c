"""A lively marketplace: sellers put up lots, and bots bid on them the way people do."""
