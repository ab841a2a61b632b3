"""Memory Parallel: one memory in shards, one a process of `torch.distributed`; rank 0 asks, every rank answers."""
