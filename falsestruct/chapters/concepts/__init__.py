"""Chapter 19."""
