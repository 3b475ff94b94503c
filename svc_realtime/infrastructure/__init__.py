"""Where events come from, where snapshots come from, and how frames leave."""
