"""Chapter 34."""
