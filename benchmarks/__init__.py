"""Load and capacity, as ratios within one run; each module prints a table, or JSON with --json."""
