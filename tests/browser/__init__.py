"""What a person has in a browser, in Debian's Chromium."""
