"""The Try panel: every method, or every strength, on a small box of a cube."""
