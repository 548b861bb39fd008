"""The schema's history. Every revision goes up and down with data, on SQLite and PostgreSQL."""
