"""What finding duplicates costs, finds and misses, beside the tools a user would take instead."""
