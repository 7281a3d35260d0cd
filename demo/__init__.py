"""The main job, told in a minute on this machine: ``make demo``."""
