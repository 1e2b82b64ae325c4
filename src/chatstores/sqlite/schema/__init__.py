"""The schema's steps, oldest first; ``migrations`` reads them as files."""
