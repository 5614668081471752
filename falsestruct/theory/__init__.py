"""What is proved, as code in exact arithmetic."""
