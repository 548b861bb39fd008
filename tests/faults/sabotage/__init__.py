"""Builds of the line with one thing broken, to show that the campaigns would notice. None of this ships."""
