"""What finding and removing costs and catches, beside the tools a user would take instead."""
