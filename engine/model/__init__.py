"""The models: configuration, checkpoint folder, tokenizer, the MSA layer, two backbones, pointing heads.

Nothing here knows a store or reads a corpus. Import the submodule you need: each pulls in torch.
"""
