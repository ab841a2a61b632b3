"""The command line of msa. Every module here imports in milliseconds; the engine does the work."""
