"""One script a claim: each checks before it measures, prints a table, and a JSON line last."""

import engine.model  # noqa: F401  (settles how threads wait before torch is loaded, as in the product)
