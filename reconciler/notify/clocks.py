"""What is a clock, for those who are handed one?"""

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]
"""Gives the moment that it is, in UTC."""
