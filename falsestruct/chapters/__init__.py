"""Chapters: what each measures, the claims it answers, its figures. None imports another."""
