"""Nouns: frozen values that every room shares. No I/O, no clock, nothing that decides."""
