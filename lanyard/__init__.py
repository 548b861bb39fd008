"""The consultation line, put together: the only room that knows all the others (floor 5)."""
