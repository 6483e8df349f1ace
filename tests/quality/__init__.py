"""How well the shipped rules and names find what people would find."""
