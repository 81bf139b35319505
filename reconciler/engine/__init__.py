"""Doing: observe, plan, perform, note; again and again.

What acts decides nothing: what should run is `desired`'s question, what is to be done the `planner`'s. Targets,
git and the store are reached through the rooms of those names.
"""
