"""The comparison: what each transport, codec and store costs the same chat.

``plans`` says what is compared, ``rounds`` runs it, ``results`` is what comes out, and
``report`` shows it. Servers and load generators are processes of their own; nothing of
this package runs inside a server that is measured, except the few in ``floor``, which
have no chat in them or change one thing.

PYTEST_DONT_REWRITE: no assertion of ours is a test of somebody's.
"""
