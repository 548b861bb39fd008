"""What happened (floor 2). The tree and its proofs are built on the leaves written here."""
