"""Killing the product at every operation, and at random, and counting what arrived."""
