"""Executing chapters."""
