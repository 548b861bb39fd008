"""What the project's own checks need. Nothing here ships."""
