"""The Batch panel: many files through the command line, which goes on where it was stopped, and a table of verdicts."""
