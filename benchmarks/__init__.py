"""Side-by-side measurements, as ratios; never part of a timed test."""
