"""Chapter 21: networks that people use, before a court with exact truth."""
