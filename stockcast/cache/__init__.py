"""What was read and computed from price files, kept for the next command."""
