"""Files: memory maps, atomic writing, ENVI and other formats."""
