"""What may be signposted, and red flags (floor 2)."""
