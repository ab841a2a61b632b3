"""One script a claim: each checks before it measures, prints a table, and a JSON line last."""
