"""What a chapter calls: claims, figures, numbers for the prose."""
