"""Who someone is and how they prove it (floor 2)."""
