"""What a person runs: the command ``chatcore``, and all the wiring behind it.

PYTEST_DONT_REWRITE: no assertion of ours is a test of somebody's.
"""
