"""Where and in which parts it runs: plans, memory, devices, tiles, streams, sessions, equilibria, clusters."""
