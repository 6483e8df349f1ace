"""`monitor parse`: what a feed says, as JSON. Needs no store."""
