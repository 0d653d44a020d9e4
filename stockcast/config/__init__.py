"""The YAML that a user edits: read, validated, and explained where it is wrong."""
