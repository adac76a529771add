"""How a fixed point z* = f(z*) is found and differentiated."""
