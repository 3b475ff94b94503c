"""What a feed is: positions, changes, and the run of updates that a replica has of an auction."""
