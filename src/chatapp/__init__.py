"""What a person runs: the command ``chatcore``, and all the wiring behind it."""
