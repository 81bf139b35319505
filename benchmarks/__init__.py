"""How fast is it, beside what the machine can do at best? Every figure stands beside its limit from the same run."""
