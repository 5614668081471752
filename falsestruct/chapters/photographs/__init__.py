"""Chapter 23."""
