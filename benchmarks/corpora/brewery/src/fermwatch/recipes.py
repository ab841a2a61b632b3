"""Recipes: the list of steps a beer goes through in its tank."""

import json
from dataclasses import dataclass

from .errors import RecipeError, UnknownStep

# Target temperature (°C) and longest duration (hours) of each known step.
STEP_DEFAULTS = {
    "pitch": (17.0, 12),
    "primary": (19.0, 120),
    "diacetyl_rest": (21.5, 48),
    "cold_crash": (1.0, 60),
    "souring": (34.0, 36),
    "lagering": (2.5, 840),
}
MAX_STEPS = 9
# Fastest allowed change between two steps, in degrees per hour.
RAMP_UP = 0.8
RAMP_DOWN = 1.2


@dataclass
class Step:
    name: str
    target: float
    hours: float


def make_step(raw: dict) -> Step:
    """Build a step, filling in what the recipe leaves out."""
    name = raw.get("name")
    if name not in STEP_DEFAULTS:
        raise UnknownStep(f"unknown step {name!r}")
    target, hours = STEP_DEFAULTS[name]
    return Step(name, float(raw.get("target", target)), float(raw.get("hours", hours)))


def parse_recipe(text: str) -> list:
    """Parse a recipe in JSON; souring is only allowed as the first step."""
    try:
        raw = json.loads(text)["steps"]
    except (ValueError, KeyError, TypeError) as exc:
        raise RecipeError("recipe is not readable") from exc
    if not raw or len(raw) > MAX_STEPS:
        raise RecipeError(f"a recipe has 1 to {MAX_STEPS} steps")
    steps = [make_step(item) for item in raw]
    for step in steps[1:]:
        if step.name == "souring":
            raise RecipeError("souring must come first")
    return steps


def ramp_hours(start: float, target: float) -> float:
    """Hours needed to go from one temperature to another."""
    rate = RAMP_UP if target > start else RAMP_DOWN
    return abs(target - start) / rate


def is_finished(gravities, drop: float = 0.0005, hours: int = 30) -> bool:
    """True when gravity fell by less than `drop` over the last `hours`.

    Expects one gravity per hour, oldest first.
    """
    if len(gravities) < hours + 1:
        return False
    return gravities[-hours - 1] - gravities[-1] < drop
