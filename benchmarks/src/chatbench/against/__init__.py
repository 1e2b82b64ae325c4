"""``chatcore bench --against``: this tree's server beside that of another commit.

Only the server differs. Of each cell three servers run at once, this tree's twice and
the commit's once, and one load generator of today's takes them by short turns.
"""
