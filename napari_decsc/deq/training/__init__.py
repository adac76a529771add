"""Training of DECSC: data, noise on the device, loss, loop. `settings` needs no torch."""
