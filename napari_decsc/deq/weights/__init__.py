"""Weights: files, shipped ones, choices."""
