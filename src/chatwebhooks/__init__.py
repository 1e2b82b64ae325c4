"""Webhooks: other programs are told of each message by HTTP, at least once.

They are signed as Standard Webhooks (https://www.standardwebhooks.com) has it, version
1.0, so that any library of theirs verifies them. ``httpx`` sends them, which the extra
``webhooks`` brings; nothing else needs it. ``sender.HttpWebhooks`` is the way in.

PYTEST_DONT_REWRITE: no assertion of ours is a test of somebody's.
"""
