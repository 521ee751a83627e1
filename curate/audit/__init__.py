"""Looking at what filters and edits did: thresholds with a promise, rates by group, what is left of personal data."""
