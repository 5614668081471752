"""Chapter 33."""
