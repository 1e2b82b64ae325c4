"""Ready answers to who somebody is (``chatcore.ports.Identities``).

``SharedSecret`` is for an application that signs short proofs itself, and needs nothing
but the standard library; ``JwtIdentities`` is for the tokens of an issuer that
publishes its keys, and needs ``pip install "chatcore[jwt]"``.

PYTEST_DONT_REWRITE: no assertion of ours is a test of somebody's.
"""
