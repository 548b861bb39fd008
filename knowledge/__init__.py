"""What may be signposted (floor 2). Its entries, search and red flags come with their own issue."""
