"""The commands for those who look after a server's files: backup, check, restore."""
