"""Scenes: small banks of facts, each with several sayings and with questions in words far from them (files beside this one)."""
