"""The public directory in the words of Open Referral UK (HSDS 3.0): what goes out, and what comes in as proposals."""
