"""Chapter 22."""
