"""The doors: how words come in and go out; decides nothing (floor 4)."""
