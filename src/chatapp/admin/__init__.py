"""``chatcore admin``: the operator's door to a running server, over a Unix socket.

``server`` listens and ``commands`` answers, in the server's process; ``client`` asks,
and ``command`` is what a person runs. ``protocol`` is what both sides say.
"""
