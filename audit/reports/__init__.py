"""Reports: figures made from the leaves of the trail, one file a report. Never from words (docs/reports.md).

What all share: `history` (a consultation as its leaves tell it), `table` (what a report gives, and what is left out of
it for sharing), `totals` (the sums of each month, kept up to date leaf by leaf).
"""
