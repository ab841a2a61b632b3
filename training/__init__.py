"""How the bundled model came to be, from a pretrained backbone and data to shipped weights. See LOG.md."""
