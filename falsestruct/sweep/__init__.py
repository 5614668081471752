"""Grids of runs: any executor, resumable; and what a piece of code can reach."""
