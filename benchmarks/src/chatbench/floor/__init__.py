"""Servers to hold a transport's figures against: no chat, or one thing different.

``python -m chatbench.floor.server`` runs one. ``echo`` has the transport and nothing
behind it; ``single`` writes one message a frame; ``planted`` costs a known amount of
CPU more, so that the harness can be seen to find it.
"""
