"""Commands that do one thing and end, for scripts: each logs in and out by itself.

``docs/scripting.md`` is their manual.
"""
