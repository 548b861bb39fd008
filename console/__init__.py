"""The rooms in a browser: officer's chat, IDVA's desk, board (floor 4). Decides nothing."""
