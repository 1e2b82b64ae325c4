"""What the hot paths cost a call: CPU ns, and instructions, which do not vary.

Run it as ``PYTHONPATH=src python -m benchmarks.micro``; docs/performance.md tells how.
A module beside this one has the benchmarks of one part; ``catalogue`` lists them all.
"""
