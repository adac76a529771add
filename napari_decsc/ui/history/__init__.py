"""The History panel: what was done, each step to copy as a command or as Python."""
