"""The contract of a denoiser: events in, one report out, whatever the method."""
