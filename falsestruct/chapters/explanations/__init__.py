"""Chapter 18."""
