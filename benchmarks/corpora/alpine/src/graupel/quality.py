"""Checks of single samples and of short series.

A sample gets one of three grades: "good", "doubtful" or "bad". Bad samples
never raise an alarm; doubtful ones can raise a yellow alarm but no red one.
"""

from statistics import median

from .config import MAX_SNOW_CM, Settings

#: Largest rise between two samples that is still taken for snow.
MAX_STEP_CM = 14.0
#: Limits of the thermometer.
TEMP_MIN_C = -42.0
TEMP_MAX_C = 38.0
#: Speed of sound is not needed (radar), but hoar on the lens shows as this.
HOAR_DISTANCE_MM = 310
#: Number of samples in the running median.
MEDIAN_WINDOW = 7


def snow_height_cm(sample, mast_height_mm):
    """Snow height under the head, never below zero."""
    return max(0.0, (mast_height_mm - sample.distance_mm) / 10)


def grade(sample, mast_height_mm, settings=None):
    """Grade one sample by itself.

    Tilted masts and distances that look like hoar are bad. A battery under
    the warning level makes a sample doubtful, under the cut-off level bad.
    """
    settings = settings or Settings()
    height = snow_height_cm(sample, mast_height_mm)
    if sample.tilted or sample.distance_mm < HOAR_DISTANCE_MM:
        return "bad"
    if height > MAX_SNOW_CM or sample.battery_v < settings.battery_cutoff_v:
        return "bad"
    if not TEMP_MIN_C <= sample.temperature_c <= TEMP_MAX_C:
        return "doubtful"
    if sample.battery_v < settings.battery_warn_v:
        return "doubtful"
    return "good"


def smooth(heights):
    """Running median; shorter windows at the start of the series."""
    result = []
    for i in range(len(heights)):
        start = max(0, i - MEDIAN_WINDOW + 1)
        result.append(median(heights[start:i + 1]))
    return result


def steps(heights):
    """Indices at which the height jumps by more than MAX_STEP_CM."""
    return [
        i for i in range(1, len(heights))
        if abs(heights[i] - heights[i - 1]) > MAX_STEP_CM
    ]


def usable(grades):
    """A series is usable if at least 70 percent of its grades are good."""
    if not grades:
        return False
    return grades.count("good") / len(grades) >= 0.70
