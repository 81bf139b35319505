"""What does the agent say when a table is booked?"""


def confirm(name: str, day: str, time: str, people: int) -> str:
    """One sentence that repeats everything."""
    table = "a table for one" if people == 1 else f"a table for {people}"
    return f"Thank you, {name}: {table} on {day} at {time}. See you then!"
