"""From notebook to book: run chapters, keep evidence, publish figures."""
