"""`monitor demo`: the whole pipeline on one machine, between a small newsroom and three receivers of its own."""
