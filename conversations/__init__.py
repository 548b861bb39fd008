"""What the line is for: states, routing, talk, advice, close (floor 3)."""
