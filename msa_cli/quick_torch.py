"""torch without the rules its compiler needs: importing them is a quarter of torch's start-up, and no command compiles."""

from __future__ import annotations

import sys
from types import ModuleType

RULES = "torch._meta_registrations"


def import_torch() -> None:
    """Import torch with an empty module in the place of `RULES`; whoever imports that later gets the real one."""
    if "torch" in sys.modules:
        return
    sys.modules[RULES] = ModuleType(RULES)
    try:
        import torch
    finally:
        sys.modules.pop(RULES, None)
    # torch names what it imports; the empty module must not stay there.
    vars(torch).pop("_meta_registrations", None)
