"""Attacks, exact distances, universal perturbations."""
