"""What scripts/generate_proto.py wrote from proto/; only the codec imports it."""
