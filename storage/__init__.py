"""Plumbing: the database, sealed words and keys; knows nothing of consultations (floor 1)."""
