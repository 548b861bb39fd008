"""Fault campaigns: the shipped program is killed, starved of power and fed the same twice; nothing may be lost."""
