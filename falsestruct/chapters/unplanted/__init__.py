"""Chapter 20: what networks share where nothing was planted."""
